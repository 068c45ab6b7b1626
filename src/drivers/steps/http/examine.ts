import type { Examination } from '../../../core/model/drill.ts';
import type { AllowList } from '../../allow-list.ts';
import { authorization } from '../../http-expectation.ts';
import { resolveTexts, SecretError, type SecretResolver } from '../../secrets.ts';
import { obstacle, ready, type StepOf } from '../step-driver.ts';

/** Whether the address is allowed and the secrets are there. Nothing is sent: nobody knows what a request does. */
export async function examineRequest(
  { allow, secrets }: { readonly allow: AllowList; readonly secrets: SecretResolver },
  step: StepOf<'http'>,
): Promise<Examination> {
  const refused = allow.mayCall(step.url);
  if (refused !== undefined) return obstacle(refused);
  try {
    await authorization(step.auth, secrets);
    await resolveTexts(step.headers, secrets);
    return ready('allowed, and its secrets are there; nothing was sent');
  } catch (error) {
    if (error instanceof SecretError) return obstacle(error.message);
    throw error;
  }
}

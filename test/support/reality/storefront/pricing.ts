export const PRICING = 'quick';

/** What a product costs in the customer's money. */
export async function price(cents: number, rate: number): Promise<number> {
  return await Promise.resolve(Math.round(cents * rate));
}

/** Ends what is under way, before the process does. */
export async function close(): Promise<void> {
  await Promise.resolve();
}

import type { JsonValue } from '../core/model/step.ts';

export type SettingType = 'text' | 'number' | 'truth' | 'list';

/** A text of the environment. What is not what it should be stays a text, which the schema then refuses by name. */
export function settingValue(type: SettingType, text: string): JsonValue {
  switch (type) {
    case 'text':
      return text;
    case 'list':
      return text.split(',').map((part) => part.trim());
    case 'number':
      return Number.isFinite(Number(text)) ? Number(text) : text;
    case 'truth':
      return text === 'true' || text === 'false' ? text === 'true' : text;
  }
}

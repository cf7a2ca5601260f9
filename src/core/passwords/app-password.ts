/** The longest name of an app password, in characters. */
export const APP_PASSWORD_NAME = 40;

/** The name of an app password, such as `phone` or `Annas Laptop`; null: it cannot be one. */
export function appPasswordName(text: string): string | null {
  const name = text.trim().normalize("NFC");
  return name.length <= APP_PASSWORD_NAME && /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N} ._-]*[\p{L}\p{M}\p{N}._-])?$/u.test(name)
    ? name
    : null;
}

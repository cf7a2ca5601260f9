/** `count`: also as the page writes it. */
const counted = (count: number | string, one: string, many: string): string =>
  `${count} ${String(count) === "1" ? one : many}`;
export const mailsEn = (count: number | string): string => counted(count, "mail", "mails");
export const mailsDe = (count: number | string): string => counted(count, "Mail", "Mails");

/** Names what reached the limit `key` of an account whose mail is held. */
export const heldForEn = (count: number, key: string): string =>
  isRefused(key) ? counted(count, "refusal", "refusals") : counted(count, "stranger", "strangers");
export const heldForDe = (count: number, key: string): string =>
  isRefused(key) ? counted(count, "Ablehnung", "Ablehnungen") : counted(count, "Fremder", "Fremde");

function isRefused(key: string): boolean {
  return key === "limits.sending.refused";
}

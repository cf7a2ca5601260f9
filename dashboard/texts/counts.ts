/** `count`: also as the page writes it. */
export const mailsEn = (count: number | string): string => (String(count) === "1" ? "1 mail" : `${count} mails`);
export const mailsDe = (count: number | string): string => (String(count) === "1" ? "1 Mail" : `${count} Mails`);

/** What reached the limit `key` of an account whose mail is held. */
export const heldForEn = (count: number, key: string): string =>
  `${count} ${isRefused(key) ? "refusals" : "strangers"}`;
export const heldForDe = (count: number, key: string): string =>
  `${count} ${isRefused(key) ? "Ablehnungen" : "Fremde"}`;

function isRefused(key: string): boolean {
  return key === "limits.sending.refused";
}

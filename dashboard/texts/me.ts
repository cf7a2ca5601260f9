const mailsOf = (count: string): string => (count === "1" ? "1 mail" : `${count} mails`);
const mailsOfDe = (count: string): string => (count === "1" ? "1 Mail" : `${count} Mails`);

/** The page My mailbox, for the user of a mailbox: also for one who knows no word of mail servers. */
const en = {
  title: "My mailbox",
  use: "Room",
  useOf: (used: string, quota: string, mails: string) => `${used} of ${quota} used, ${mailsOf(mails)}`,
  useNoLimit: (used: string, mails: string) => `${used} used, ${mailsOf(mails)}`,
  aliases: "Other addresses that lead here",
  noAliases: "There is none: mail comes to your own address alone.",
  networks: "You can sign in from",
  anywhere: "everywhere",
  guarded: "Strangers guess at your password. Until they stop, a sign-in from a new place may be refused.",
  page: "This page",
};

const de: typeof en = {
  title: "Mein Postfach",
  use: "Platz",
  useOf: (used, quota, mails) => `${used} von ${quota} belegt, ${mailsOfDe(mails)}`,
  useNoLimit: (used, mails) => `${used} belegt, ${mailsOfDe(mails)}`,
  aliases: "Weitere Adressen, die hierher führen",
  noAliases: "Keine: Post kommt nur an Ihre eigene Adresse.",
  networks: "Anmelden können Sie sich von",
  anywhere: "überall",
  guarded:
    "Fremde versuchen, Ihr Passwort zu erraten. Bis sie aufhören, kann eine Anmeldung von einem neuen Ort abgelehnt werden.",
  page: "Diese Seite",
};

export { de, en };

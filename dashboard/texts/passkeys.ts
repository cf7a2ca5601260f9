/** Passkeys: at the sign-in, at a proof, and their list. */
const en = {
  title: "Passkeys",
  hint: "A passkey signs in without the password: with your finger, your face, a PIN or a security key. It works only at this address of the dashboard.",
  none: "No passkeys yet.",
  made: "added",
  used: "last used",
  unused: "not used yet",
  name: "Name, such as laptop",
  add: "Add a passkey",
  wasAdded: (name: string) => `The passkey ${name} is added.`,
  remove: "Remove",
  removeOf: (name: string) => `Remove ${name}`,
  surely: (name: string) => `Remove ${name} for good`,
  removed: (name: string) => `The passkey ${name} is removed. Delete it on your device too.`,
  address: "Passkeys need a host name: they do not work if you open the dashboard by IP address, except at localhost.",
  insecure: "Passkeys need https or localhost.",
};

const de: typeof en = {
  title: "Passkeys",
  hint: "Mit einem Passkey melden Sie sich ohne Passwort an: mit Finger, Gesicht, PIN oder Sicherheitsschlüssel. Er gilt nur unter dieser Adresse der Verwaltungsseite.",
  none: "Es gibt keinen Passkey.",
  made: "hinzugefügt",
  used: "zuletzt benutzt",
  unused: "noch nicht benutzt",
  name: "Name, etwa Laptop",
  add: "Passkey hinzufügen",
  wasAdded: (name) => `Der Passkey ${name} ist hinzugefügt.`,
  remove: "Entfernen",
  removeOf: (name) => `${name} entfernen`,
  surely: (name) => `${name} endgültig entfernen`,
  removed: (name) => `Der Passkey ${name} ist entfernt. Löschen Sie ihn auch auf Ihrem Gerät.`,
  address:
    "Passkeys brauchen einen Hostnamen: Sie funktionieren nicht, solange Sie die Verwaltungsseite über eine IP-Adresse öffnen, wohl aber unter localhost.",
  insecure: "Passkeys brauchen https oder localhost.",
};

export { de, en };

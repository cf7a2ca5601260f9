export const en = {
  endNow: "End it now",
  apps: {
    title: "App passwords",
    hint: "A password for one mail program. If you lose the device, remove its password here. The app password only reads and sends mail, so it does not open this page.",
    none: "No app passwords yet.",
    made: "created",
    name: "Name of the device, such as phone",
    make: "Create an app password",
    alreadyThere: (name: string) => `There is already an app password ${name}. Choose another name.`,
    most: "You cannot have more. Remove one that you don't use.",
    says: (name: string) =>
      `This is the app password for ${name}. It is shown only once: type it into the mail program now.`,
    label: "App password",
    removed: (name: string) =>
      `The app password ${name} is removed. The program that used it can no longer sign in; your other programs sign in again automatically.`,
  },
  forwarding: {
    title: "Forwarding",
    hint: "Mail to your addresses is forwarded unchanged, including spam, to up to ten other addresses.",
    none: "Your mail is not forwarded.",
    copy: "A copy stays in your mailbox.",
    noCopy: "No copy stays in your mailbox.",
    keep: "Keep a copy",
    keepNone: "Keep no copy",
    address: "Address to forward your mail to",
    send: "Forward",
    alreadyThere: (address: string) => `Your mail is already forwarded to ${address}.`,
    most: "Ten addresses at most.",
    added: (address: string) => `Your mail is forwarded to ${address}.`,
    stopped: (address: string) => `Your mail is no longer forwarded to ${address}.`,
  },
  vacation: {
    title: "Reply while you are away",
    hint: "People who write to your address get this reply, at most once in seven days. Lists, newsletters, spam and possibly forged senders get none, and none is sent while your mail is forwarded without a copy.",
    none: "No reply is sent.",
    always: "The reply is sent until you end it.",
    until: "The reply is sent until",
    over: "The reply is no longer sent. It ended",
    subject: "Subject (empty: the subject of the mail)",
    text: "Text of the reply",
    day: "Last day (empty: until you end it)",
    set: "Send this reply",
    change: "Change it",
    started: "The reply is sent from now on.",
    stopped: "The reply is no longer sent.",
  },
};

export const de: typeof en = {
  endNow: "Jetzt beenden",
  apps: {
    title: "App-Passwörter",
    hint: "Ein Passwort für ein einziges Mailprogramm. Geht das Gerät verloren, entfernen Sie hier sein Passwort. Mit ihm lassen sich nur Mails lesen und senden; diese Seite öffnet es nicht.",
    none: "Noch keine App-Passwörter.",
    made: "erstellt",
    name: "Name des Geräts, etwa Telefon",
    make: "App-Passwort erstellen",
    alreadyThere: (name) => `Ein App-Passwort ${name} gibt es schon. Wählen Sie einen anderen Namen.`,
    most: "Mehr App-Passwörter sind nicht möglich. Entfernen Sie eines, das Sie nicht benutzen.",
    says: (name) =>
      `Dies ist das App-Passwort für ${name}. Es wird nur jetzt angezeigt: Geben Sie es gleich im Mailprogramm ein.`,
    label: "App-Passwort",
    removed: (name) =>
      `Das App-Passwort ${name} ist entfernt. Das Programm, das es benutzte, kann sich nicht mehr anmelden; Ihre anderen Programme melden sich automatisch wieder an.`,
  },
  forwarding: {
    title: "Weiterleitung",
    hint: "Post an Ihre Adressen wird unverändert an bis zu zehn andere Adressen weitergeleitet, auch Spam.",
    none: "Ihre Post wird nicht weitergeleitet.",
    copy: "Eine Kopie bleibt in Ihrem Postfach.",
    noCopy: "In Ihrem Postfach bleibt keine Kopie.",
    keep: "Kopie behalten",
    keepNone: "Keine Kopie behalten",
    address: "Adresse, an die Ihre Post weitergeleitet wird",
    send: "Weiterleiten",
    alreadyThere: (address) => `Ihre Post wird schon an ${address} weitergeleitet.`,
    most: "Es sind höchstens zehn Adressen möglich.",
    added: (address) => `Ihre Post wird an ${address} weitergeleitet.`,
    stopped: (address) => `Ihre Post wird nicht mehr an ${address} weitergeleitet.`,
  },
  vacation: {
    title: "Abwesenheitsantwort",
    hint: "Wer an Ihre Adresse schreibt, bekommt diese Antwort, höchstens einmal in sieben Tagen. Keine Antwort bekommen Listen, Newsletter, Spam und Absender, deren Adresse gefälscht sein kann. Solange Ihre Post ohne Kopie weitergeleitet wird, geht keine Antwort hinaus.",
    none: "Es wird nicht geantwortet.",
    always: "Es wird geantwortet, bis Sie es beenden.",
    until: "Die Antwort wird gesendet bis",
    over: "Die Antwort wird nicht mehr gesendet. Ende:",
    subject: "Betreff (leer: der Betreff der eingegangenen Mail)",
    text: "Text der Antwort",
    day: "Letzter Tag (leer: bis Sie es beenden)",
    set: "Diese Antwort senden",
    change: "Ändern",
    started: "Ab jetzt wird so geantwortet.",
    stopped: "Es wird nicht mehr geantwortet.",
  },
};

/** The same on the owner's page of an account. */
export const ofAccountEn = {
  title: "App passwords, forwarding, reply",
  none: "None is set.",
  app: "App password",
  by: "made by",
  forwarding: "Forwarding",
  copy: "keeps a copy",
  noCopy: "keeps no copy",
  reply: "Vacation reply",
  until: "until",
  over: "ended",
  ended: (what: string) => `${what}: removed.`,
  inSentence: (what: string) => what.charAt(0).toLowerCase() + what.slice(1),
};

export const ofAccountDe: typeof ofAccountEn = {
  title: "App-Passwörter, Weiterleitung, Antwort",
  none: "Nichts davon ist eingerichtet.",
  app: "App-Passwort",
  by: "erstellt von",
  forwarding: "Weiterleitung",
  copy: "eine Kopie bleibt",
  noCopy: "keine Kopie bleibt",
  reply: "Abwesenheitsantwort",
  until: "bis",
  over: "beendet",
  ended: (what) => `${what}: entfernt.`,
  inSentence: (what) => what,
};

/** Names of the event types. */
export const settingEventsEn = {
  APP_PASSWORD_MADE: "App password made",
  APP_PASSWORD_REMOVED: "App password removed",
  FORWARDING_CHANGED: "Forwarding changed",
  VACATION_CHANGED: "Vacation reply changed",
};

export const settingEventsDe: typeof settingEventsEn = {
  APP_PASSWORD_MADE: "App-Passwort erstellt",
  APP_PASSWORD_REMOVED: "App-Passwort entfernt",
  FORWARDING_CHANGED: "Weiterleitung geändert",
  VACATION_CHANGED: "Abwesenheitsantwort geändert",
};

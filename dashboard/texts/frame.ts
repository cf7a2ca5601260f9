/**
 * Texts for the server's problems (RFC 9457), by code. English uses the server's own sentence; so does a code that is missing
 * in the other language, because its text differs each time.
 */
const problems: Readonly<Record<string, string>> = {};

/** What every reader needs: the sign-in, the frame around the pages, and what several pages say. */
export const en = {
  nav: {
    label: "Pages",
    now: "Now",
    events: "Events",
    bans: "Bans",
    mail: "Mail",
    accounts: "Accounts",
    find: "Find",
    system: "System",
    settings: "Settings",
    me: "My mailbox",
  },
  skip: "Skip to content",
  signOut: "Sign out",
  signedOut: "You are signed out.",
  thisPage: "This page",
  language: "Language (reloads the page)",
  languageLater:
    "The language changes when you reload the page. That clears what you have typed or not copied yet, and every Undo.",
  live: {
    connecting: "connecting",
    live: "live",
    silent: (time: string) => `not live since ${time}`,
    skipped: "The page missed many events while it was disconnected. The lists are loaded again.",
    failed: "The page could not load this.",
    unreachable: "The server cannot be reached.",
    unanswered: "The server cannot be reached. Check whether a change was made before you repeat it.",
    answered: (status: number) => `The server answered ${status}.`,
    retry: "Try again",
    again: "The page retries every three seconds.",
    loading: "Loading …",
    outdated:
      "A part of the page could not be loaded: the server cannot be reached, or was upgraded. Once it is back, reload the page.",
  },
  state: { ok: "OK", degraded: "degraded", down: "down" },
  signIn: {
    account: "Your mail address (leave empty to administer this server)",
    password: "Administrator password",
    mailboxPassword: "Password of your mailbox",
    button: "Sign in",
    wait: "Signing in …",
    noCookie: "The browser did not keep the sign-in: allow cookies for this page, or open it over https.",
  },
  proof: {
    title: "Confirm your password",
    why: "Enter your password again. That counts for ten minutes.",
    button: "Continue",
  },
  undo: "Undo",
  cancel: "Cancel",
  saved: "I have saved it",
  remove: "Remove",
  removeOf: (what: string) => `Remove ${what}`,
  surelyRemove: (what: string) => `Remove ${what} for good`,
  firstPage: "First page",
  nextPage: "Next page",
  used: "last used",
  unused: "not used yet",
  undoKey: "Ctrl+Z",
  explain: (what: string) => `Explain ${what}`,
  copy: {
    copy: "Copy",
    copyOf: (what: string) => `Copy ${what}`,
    copied: "Copied.",
    byHand: "This browser does not allow copying. Select the text and copy it by hand.",
  },
  browsers: {
    thisOne: "this browser",
    started: "since",
    ended: (count: number) => (count === 1 ? "One session is ended." : `${count} sessions are ended.`),
    alone: "No other browser is signed in.",
  },
  code: {
    code: "Code from the authenticator app",
    recoveryCode: "Recovery code",
    useRecovery: "Use a recovery code",
    useApp: "Use the authenticator app",
    refused:
      "Refused. Wait for the app's next code, since each works once, and check the phone's clock; or use a recovery code. After several attempts, wait a while.",
  },
  passkey: {
    use: "Use a passkey",
    unsupported: "This browser does not support passkeys.",
    givenUp: "No passkey was used: you cancelled, it took too long, or this device has none for this page.",
    known: "This device already has a passkey for this dashboard.",
  },
  duration: {
    label: "Duration",
    choices: { "15m": "15 minutes", "1h": "an hour", "4h": "4 hours", "1d": "a day" },
  },
  problems,
};

export const de: typeof en = {
  nav: {
    label: "Seiten",
    now: "Jetzt",
    events: "Ereignisse",
    bans: "Sperren",
    mail: "Post",
    accounts: "Konten",
    find: "Suchen",
    system: "System",
    settings: "Einstellungen",
    me: "Mein Postfach",
  },
  skip: "Zum Inhalt",
  signOut: "Abmelden",
  signedOut: "Sie sind abgemeldet.",
  thisPage: "Diese Seite",
  language: "Sprache (lädt die Seite neu)",
  languageLater:
    "Die Sprache wechselt, sobald Sie die Seite neu laden. Eingegebenes, noch nicht Kopiertes und jedes „Rückgängig“ gehen dabei verloren.",
  live: {
    connecting: "verbindet",
    live: "live",
    silent: (time) => `nicht live seit ${time}`,
    skipped: "Ohne Verbindung hat die Seite viele Ereignisse verpasst. Die Listen werden neu geladen.",
    failed: "Das ließ sich nicht laden.",
    unreachable: "Der Server ist nicht erreichbar.",
    unanswered: "Der Server ist nicht erreichbar. Prüfen Sie vor einer Wiederholung, ob die Änderung erfolgt ist.",
    answered: (status) => `Der Server antwortete mit ${status}.`,
    retry: "Erneut versuchen",
    again: "Die Seite versucht es alle drei Sekunden erneut.",
    loading: "Lädt …",
    outdated:
      "Ein Teil der Seite ließ sich nicht laden: Der Server ist nicht erreichbar oder wurde aktualisiert. Ist er erreichbar, laden Sie die Seite neu.",
  },
  state: { ok: "in Ordnung", degraded: "eingeschränkt", down: "ausgefallen" },
  signIn: {
    account: "Ihre Mailadresse (leer lassen, um den Server zu verwalten)",
    password: "Passwort der Verwaltungsseite",
    mailboxPassword: "Passwort Ihres Postfachs",
    button: "Anmelden",
    wait: "Anmeldung läuft …",
    noCookie:
      "Der Browser hat die Anmeldung nicht gespeichert: Erlauben Sie Cookies für diese Seite, oder öffnen Sie sie über https.",
  },
  proof: {
    title: "Passwort bestätigen",
    why: "Geben Sie Ihr Passwort erneut ein. Das gilt zehn Minuten.",
    button: "Weiter",
  },
  undo: "Rückgängig",
  cancel: "Abbrechen",
  saved: "Ich habe es gespeichert",
  remove: "Entfernen",
  removeOf: (what) => `${what} entfernen`,
  surelyRemove: (what) => `${what} endgültig entfernen`,
  firstPage: "Erste Seite",
  nextPage: "Nächste Seite",
  used: "zuletzt benutzt",
  unused: "noch nicht benutzt",
  undoKey: "Strg+Z",
  explain: (what) => `${what} erklären`,
  copy: {
    copy: "Kopieren",
    copyOf: (what) => `${what} kopieren`,
    copied: "Kopiert.",
    byHand: "Dieser Browser erlaubt das Kopieren nicht. Kopieren Sie den Text von Hand.",
  },
  browsers: {
    thisOne: "dieser Browser",
    started: "seit",
    ended: (count) => (count === 1 ? "Eine Sitzung ist beendet." : `${count} Sitzungen sind beendet.`),
    alone: "Kein anderer Browser ist angemeldet.",
  },
  code: {
    code: "Code der Authenticator-App",
    recoveryCode: "Wiederherstellungscode",
    useRecovery: "Wiederherstellungscode benutzen",
    useApp: "Authenticator-App benutzen",
    refused:
      "Abgelehnt. Jeder Code gilt nur einmal: Warten Sie auf den nächsten und prüfen Sie die Uhr des Telefons, oder benutzen Sie einen Wiederherstellungscode. Warten Sie nach mehreren Versuchen etwas.",
  },
  passkey: {
    use: "Passkey benutzen",
    unsupported: "Dieser Browser unterstützt keine Passkeys.",
    givenUp:
      "Es wurde kein Passkey benutzt: Sie haben abgebrochen, es dauerte zu lange, oder dieses Gerät hat keinen für diese Seite.",
    known: "Dieses Gerät hat schon einen Passkey für diese Verwaltungsseite.",
  },
  duration: {
    label: "Dauer",
    choices: { "15m": "15 Minuten", "1h": "eine Stunde", "4h": "4 Stunden", "1d": "ein Tag" },
  },
  problems: {
    login_refused: "Die Anmeldung wurde abgelehnt. Prüfen Sie Passwort und Code, oder versuchen Sie es später erneut.",
    too_many_wrong:
      "Aus diesem Netz kamen zu viele ungültige Sitzungen oder Tokens. Versuchen Sie es in 10 Sekunden erneut.",
    not_allowed:
      "Dieser Sitzung fehlt das Recht dazu. Melden Sie sich als Inhaber an, oder benutzen Sie die Kommandozeile.",
    body_too_large: "Das ist zu viel auf einmal. Benutzen Sie die Kommandozeile auf dem Server.",
    too_many_requests: "Das waren zu viele Anfragen. Warten Sie eine Minute.",
    guard_down: "Der Wächter kann das gerade nicht ausführen. Versuchen Sie es in einigen Sekunden erneut.",
    store_down: "Die Datenbank lässt sich gerade nicht lesen. Versuchen Sie es in einigen Sekunden erneut.",
    busy: "Der Server ist gerade ausgelastet. Versuchen Sie es in einigen Sekunden erneut.",
    timeout: "Das dauerte zu lange. Prüfen Sie vor einer Wiederholung, ob die Änderung erfolgt ist.",
    internal: "Fehler auf dem Server. Mehr steht im Log des Webprogramms.",
  },
};

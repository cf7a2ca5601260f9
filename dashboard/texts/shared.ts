/** What the pages of administrators and of users of mailboxes have in common. */
const en = {
  undo: "Undo",
  undoKey: "Ctrl+Z",
  explain: (what: string) => `Explain ${what}`,
  copy: {
    copy: "Copy",
    copyOf: (what: string) => `Copy ${what}`,
    copied: "Copied.",
    byHand: "This browser does not allow copying. Select the text and copy it by hand.",
  },
  browsers: {
    thisOne: "this one",
    started: "since",
    used: "last used",
    ended: (count: number) => (count === 1 ? "One session is ended." : `${count} sessions are ended.`),
    alone: "No other browser is signed in.",
  },
  code: {
    code: "Code of the authenticator app",
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
  pause: {
    lasts: "For",
    durations: { "15m": "15 minutes", "1h": "an hour", "4h": "4 hours", "1d": "a day" },
  },
};

const de: typeof en = {
  undo: "Rückgängig",
  undoKey: "Strg+Z",
  explain: (what) => `${what} erklären`,
  copy: {
    copy: "Kopieren",
    copyOf: (what) => `${what} kopieren`,
    copied: "Kopiert.",
    byHand:
      "Dieser Browser erlaubt der Seite nicht, zu kopieren. Markieren Sie den Text und kopieren Sie ihn von Hand.",
  },
  browsers: {
    thisOne: "diese hier",
    started: "seit",
    used: "zuletzt benutzt",
    ended: (count) => (count === 1 ? "Eine Sitzung ist beendet." : `${count} Sitzungen sind beendet.`),
    alone: "Kein anderer Browser ist angemeldet.",
  },
  code: {
    code: "Code der Authenticator-App",
    recoveryCode: "Wiederherstellungscode",
    useRecovery: "Wiederherstellungscode benutzen",
    useApp: "Authenticator-App benutzen",
    refused:
      "Das wurde abgelehnt. Warten Sie auf den nächsten Code der App, denn jeder gilt einmal, und prüfen Sie die Uhr des Telefons; oder nehmen Sie einen Wiederherstellungscode. Nach mehreren Versuchen warten Sie eine Weile.",
  },
  passkey: {
    use: "Passkey benutzen",
    unsupported: "Dieser Browser kann keine Passkeys.",
    givenUp:
      "Kein Passkey wurde benutzt: Sie haben abgebrochen, es dauerte zu lange, oder dieses Gerät hat keinen für diese Seite.",
    known: "Dieses Gerät hat schon einen Passkey für diese Verwaltungsseite.",
  },
  pause: {
    lasts: "Dauer",
    durations: { "15m": "15 Minuten", "1h": "eine Stunde", "4h": "4 Stunden", "1d": "ein Tag" },
  },
};

export { de, en };

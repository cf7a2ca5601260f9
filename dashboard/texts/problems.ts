/**
 * Texts for the server's problems (RFC 9457), by code. English uses the server's own sentence; so does a code that is missing
 * here, because its text differs each time.
 */
const en: Readonly<Record<string, string>> = {};

const de: typeof en = {
  login_refused:
    "Die Anmeldung wurde abgelehnt. Prüfen Sie Passwort und Code, oder versuchen Sie es später noch einmal.",
  too_many_wrong:
    "Aus diesem Netz kamen zu viele ungültige Sitzungen oder Tokens. Versuchen Sie es in 10 Sekunden noch einmal.",
  not_allowed:
    "Dieser Sitzung fehlt das Recht dazu. Melden Sie sich als Inhaber an, oder nehmen Sie die Kommandozeile.",
  body_too_large: "Das ist zu viel auf einmal. Nehmen Sie die Kommandozeile auf dem Server.",
  too_many_requests: "Das waren zu viele Anfragen. Warten Sie eine Minute.",
  guard_down: "Der Wächter kann das gerade nicht ausführen. Versuchen Sie es in einigen Sekunden noch einmal.",
  store_down: "Die Datenbank lässt sich gerade nicht lesen. Versuchen Sie es in einigen Sekunden noch einmal.",
  busy: "Der Server ist gerade ausgelastet. Versuchen Sie es in einigen Sekunden noch einmal, oder verlangen Sie weniger.",
  timeout: "Es dauerte zu lange. Sehen Sie nach, ob es geschehen ist, bevor Sie es noch einmal versuchen.",
  internal: "Dem Server unterlief ein Fehler. Das Log des Webprogramms sagt mehr.",
};

export { de, en };

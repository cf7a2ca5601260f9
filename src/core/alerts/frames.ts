import { plural } from "../text.ts";
import { type AlertCode, alertText, type ConditionText, isCondition, type Severity } from "./alerts.ts";
import { germanConditions, germanNotices } from "./german.ts";

/** The language of messages to the owner (`alerts.language`). Details, which come from events, stay in English. */
export const ALERT_LANGUAGES = ["en", "de"] as const;
export type AlertLanguage = (typeof ALERT_LANGUAGES)[number];

const en = {
  happened: "What happened",
  matters: "Why it matters",
  toDo: "What to do",
  isOver: "This is over",
  resolved: "Resolved",
  noLonger: "No longer shown",
  unlessDone: (steps: string) => `${steps} Skip this if already done.`,
  lasted: (from: string, to: string) => `It lasted from ${from} to ${to}.`,
  nothing: "nothing, unless it returns.",
  waited: (count: number) => `${plural(count, "alert")} that could wait`,
  together: (count: number, critical: number) => `${plural(count, "alert")} together, ${critical} of them critical`,
  newestFirst: (most: number) => `Newest first, at most ${most}; \`alerts list\` shows more.`,
  test: "This is a test",
  tested: "someone sent a test alert.",
  arrives: "nothing. Alerts arrive here.",
  weights: { info: "info", warning: "warning", critical: "critical" } satisfies Record<Severity, string>,
  critical: "CRITICAL",
  server: "Server",
  time: "Time",
  severity: "Severity",
  contacts: "Contacts",
  guardDown: "The guard is not running.",
  guardUp: "The guard is running again.",
  silentSince: (since: string, line: string) => `It has not answered since ${since}. Its last log line:\n\n    ${line}`,
  guardEnds: "The guard keeps exiting.",
  endsSince: (since: string, line: string) =>
    `It has started many times since ${since}. Each time it exits, nothing is counted or banned and no other alert is sent until it runs again. Its log is log/guard; its last line:\n\n    ${line}`,
  unguarded: "Nothing is counted, no new address is banned, and no other alert is sent.",
  mailFlows: "Mail is accepted, and users can sign in.",
  mailMayFail: "Mail may not flow, and sign-ins may fail.",
  failsToo: (failing: string) => `This fails too:\n\n    ${failing}`,
  prevented: (by: string) => `Another program prevents its start: ${by}.`,
  comesBack: "`status` shows what to do. The guard starts automatically once the cause is gone.",
};
export type AlertFrame = typeof en;

const de: AlertFrame = {
  happened: "Was geschah",
  matters: "Warum das wichtig ist",
  toDo: "Was zu tun ist",
  isOver: "Das ist vorbei",
  resolved: "Vorbei",
  noLonger: "Nicht mehr angezeigt",
  unlessDone: (steps) => `${steps} Entfällt, falls schon erledigt.`,
  lasted: (from, to) => `Es dauerte von ${from} bis ${to}.`,
  nothing: "nichts, solange es nicht wiederkehrt.",
  waited: (count) => plural(count, "Meldung, die warten konnte", "Meldungen, die warten konnten"),
  together: (count, critical) => `${plural(count, "Meldung", "Meldungen")} zusammen, davon ${critical} kritisch`,
  newestFirst: (most) => `Die neuesten zuerst, höchstens ${most}; mehr zeigt \`alerts list\`.`,
  test: "Das ist ein Test",
  tested: "Jemand hat eine Testmeldung verschickt.",
  arrives: "nichts. Meldungen kommen hier an.",
  weights: { info: "Hinweis", warning: "Warnung", critical: "kritisch" },
  critical: "KRITISCH",
  server: "Server",
  time: "Zeit",
  severity: "Schweregrad",
  contacts: "Ansprechpartner",
  guardDown: "Der Wächter läuft nicht.",
  guardUp: "Der Wächter läuft wieder.",
  silentSince: (since, line) => `Er antwortet seit ${since} nicht. Seine letzte Zeile im Log:\n\n    ${line}`,
  guardEnds: "Der Wächter beendet sich immer wieder.",
  endsSince: (since, line) =>
    `Seit ${since} ist er viele Male gestartet. Endet er, wird nichts gezählt oder gesperrt und keine andere Meldung verschickt, bis er wieder läuft. Sein Log ist log/guard; die letzte Zeile:\n\n    ${line}`,
  unguarded: "Nichts wird gezählt, keine weitere Adresse gesperrt, und keine andere Meldung verschickt.",
  mailFlows: "Post wird weiter angenommen, und Nutzer können sich anmelden.",
  mailMayFail: "Post und Anmeldungen sind womöglich gestört.",
  failsToo: (failing) => `Auch das ist gestört:\n\n    ${failing}`,
  prevented: (by) => `Ein anderes Programm verhindert seinen Start: ${by}.`,
  comesBack: "`status` zeigt, was zu tun ist. Der Wächter startet von selbst, sobald die Ursache behoben ist.",
};

export const alertFrames: Readonly<Record<AlertLanguage, AlertFrame>> = { en, de };

export function alertTextIn(language: AlertLanguage, code: AlertCode): ConditionText {
  const text = alertText(code);
  if (language === "en") return text;
  return { ...text, ...(isCondition(code) ? germanConditions[code] : germanNotices[code]) };
}

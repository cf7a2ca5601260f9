import { plural } from "../text.ts";
import { bars, line, type Section, table } from "./document.ts";
import type { ReportFacts } from "./facts.ts";
import { sum } from "./security-sections.ts";
import { minute, number, share } from "./words.ts";

/** Mail, and the spam filter. */
export function mailSections(facts: ReportFacts): readonly Section[] {
  return [mail(facts), spam(facts)];
}

function mail({ days, refusals }: ReportFacts): Section {
  const rows = refusals.map(({ count, says }) => [number(count), says]);
  return {
    title: "Mail",
    blocks: [
      line(
        `${number(sum(days, "accepted"))} accepted, ${number(sum(days, "blocked"))} refused, ${number(sum(days, "delivered"))} delivered.`,
      ),
      ...bars(
        "Mails accepted by day",
        days.map((one) => ({ label: one.day, value: one.accepted })),
      ),
      ...(rows.length === 0 ? [] : [table(["REFUSED", "REASON"], rows, "")]),
    ],
  };
}

function spam({ spam: { isOn, scored, marked, refused, missed, wrong, users, rules }, looked }: ReportFacts): Section {
  const title = "Spam filter";
  if (!isOn) return { title, blocks: [line("It is switched off (spam.enabled).")] };
  const part = looked.isAll ? "" : ` Counted from the newest ${number(looked.events)} events that are kept.`;
  return {
    title,
    blocks: [
      line(
        `${number(scored)} mails were scored: ${number(marked)} (${share(marked, scored)}) went to Junk, ${number(refused)} were refused.${part}`,
      ),
      line(
        users === 0
          ? "No user corrected it."
          : `${plural(users, "user")} corrected it: ${plural(missed, "mail")} moved into Junk, ${number(wrong)} out of it.`,
      ),
      line(
        rules === null
          ? "Its rules are those of the package; no others were fetched yet."
          : `Its rules: version ${rules.version}, looked for on ${minute(rules.at)}.${rules.failure === null ? "" : ` The last try failed: ${rules.failure}`}`,
      ),
    ],
  };
}

import type { Report } from "./document.ts";
import type { ReportFacts, ReportSpan } from "./facts.ts";
import { mailSections } from "./mail-sections.ts";
import { securitySections } from "./security-sections.ts";
import { todoOf } from "./todo.ts";
import { upkeepSections } from "./upkeep-sections.ts";

const TITLES: Readonly<Record<ReportSpan, string>> = { week: "Weekly report", month: "Monthly report" };

/** What happened, what is to be done, and how the server is. */
export function reportOf(facts: ReportFacts): Report {
  const { host, from, to, span } = facts;
  const sections = [...securitySections(facts), ...mailSections(facts), ...upkeepSections(facts)];
  return { title: TITLES[span], host, from, to, todo: todoOf(facts), sections };
}

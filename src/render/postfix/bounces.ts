import { RENDERED_BY, type RenderedFile, type Site } from "../site.ts";
import { proofPattern } from "./proofs.ts";

const RECIPIENTS = "bounce-recipients";
const PROOFS = "bounce-proofs";
const CLEANUP = "cleanup-bounce";

/** Why a delivery report to another server was not sent, for the log and the event. */
const WITHHELD = "the sender of the mail is not proven";

/**
 * The services of master.cf that report undeliverable mail (bounce(8)), including mail that an alias's target refuses.
 * A report to a forged sender is backscatter: it reaches someone who never wrote. So another server gets a report only
 * if SPF proved the sender when the mail arrived. All of these services use their own cleanup(8), whose header checks
 * decide.
 */
export const bounceServices: readonly string[] = [
  ...["bounce", "defer", "trace"].flatMap((name) => [
    `${name} unix - - n - 0 bounce`,
    `  -o cleanup_service_name=${CLEANUP}`,
    "  -o internal_mail_filter_classes=bounce",
  ]),
  `${CLEANUP} unix n - n - 0 cleanup`,
  `  -o header_checks=regexp:$config_directory/${RECIPIENTS}`,
  `  -o nested_header_checks=regexp:$config_directory/${PROOFS}`,
  `  -o body_checks=regexp:$config_directory/${PROOFS}`,
];

/**
 * regexp_table(5), header_checks(5). The last FILTER counts. Reports to our own users are sent; those to others are
 * discarded, unless the enclosed mail was proven. It is enclosed whole, or as its header in a text if it is long.
 */
export function renderBounceChecks(site: Site): readonly RenderedFile[] {
  const { domains, outbound } = site;
  const ours = domains.map(literal).join("|");
  const file = (name: string, mode: number, lines: readonly string[]): RenderedFile => ({
    name,
    text: [`# ${RENDERED_BY}`, ...lines, ""].join("\n"),
    mode,
  });
  return [
    file(RECIPIENTS, 0o644, [`/^To: .*@(${ours})>?$/ DUNNO`, `/^To:/ FILTER discard:${WITHHELD}`]),
    file(PROOFS, 0o600, [`${proofPattern(site)} FILTER smtp:${outbound.relay?.nextHop ?? ""}`]),
  ];
}

function literal(name: string): string {
  return name.replaceAll(".", "\\.");
}

import { RENDERED_BY, type RenderedFile, type Site } from "../site.ts";
import { proofPattern } from "./proofs.ts";

const RECIPIENTS = "bounce-recipients";
const PROOFS = "bounce-proofs";
const CLEANUP = "cleanup-bounce";

/** Why a delivery report to another server was not sent, as the log and the event say it. */
const WITHHELD = "the sender of the mail is not proven";

/**
 * The services of master.cf that report on mail which could not be delivered (bounce(8)), the alias whose target refuses
 * it among them. A forged sender is somebody who never wrote (backscatter): another server gets a report only where SPF
 * proved the sender when the mail came in. All of them pass a cleanup(8) of their own, whose header checks say which do.
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
 * regexp_table(5), header_checks(5). The last FILTER counts: reports to our own users go as ever, those to others are
 * discarded, unless the mail that comes back within them was proven: whole, or, of a long one, its header as a text.
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

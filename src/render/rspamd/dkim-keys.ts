import { join } from "node:path";
import type { Site } from "../site.ts";

/** The key of one domain. */
export type DkimKey = Readonly<{ domain: string; selector: string; file: string }>;

/** RSA only: few servers verify Ed25519 (RFC 8463), so it could only be a second signature. */
export function dkimKeys({
  layout,
  domains,
  dkimSelector: selector,
}: Pick<Site, "layout" | "domains" | "dkimSelector">): readonly DkimKey[] {
  return domains.map((domain) => ({ domain, selector, file: join(layout.dkimKeys, `${domain}.${selector}.pem`) }));
}

import type { Settings } from "../../settings/schema.ts";
import type { PublishedRecord } from "../../wire/control/upkeep.ts";
import { comparedAll, wantedRecords } from "./domain-records.ts";
import { isPublic, ownAddresses } from "./own-addresses.ts";

/** All records of a domain, expected and published. `key`: the DKIM key in base64. */
export async function publishedFor(
  settings: Settings,
  domain: string,
  key: string,
): Promise<readonly PublishedRecord[]> {
  const compared = await comparedAll(wantedRecords(settings, ownAddresses().filter(isPublic), domain, key));
  return compared.map(({ record: { name, type, value, says, required }, verdict }) => ({
    name,
    type,
    value,
    says,
    required,
    ...verdict,
  }));
}

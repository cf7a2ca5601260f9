import { lookup as systemLookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import type { Names } from "../../engine/ports.ts";

/**
 * Finds the receivers of alerts: by our resolver, as everything of ours, and where that knows no such name or does not
 * answer, as the machine does. So a name of the container's network or of /etc/hosts will do, and an alert that our
 * resolver is down still finds its way. No stranger chooses these names.
 */
export function receiverLookup(names: Names): LookupFunction {
  const find = async (...[hostname, options, callback]: Parameters<LookupFunction>): Promise<void> => {
    const address = isIP(hostname) === 0 ? await firstAddress(names, hostname) : undefined;
    if (address === undefined) systemLookup(hostname, options, callback);
    else if (options.all === true) callback(null, [{ address, family: 4 }]);
    else callback(null, address, 4);
  };
  return (...wish) => void find(...wish);
}

async function firstAddress(names: Names, hostname: string): Promise<string | undefined> {
  const answer = await names.addresses(hostname);
  return answer.type === "addresses" ? answer.addresses[0] : undefined;
}

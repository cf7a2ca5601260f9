import { lookup as systemLookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import type { Names } from "../../engine/network-ports.ts";

/**
 * Resolves the receivers of alerts with our resolver. If it does not know the name or does not answer, uses the
 * machine's resolver. So names of a container network or /etc/hosts work, and an alert that our resolver is down
 * still arrives. Strangers cannot choose these names.
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

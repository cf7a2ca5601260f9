import { lookup as systemLookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import type { Names } from "../../engine/ports.ts";

/**
 * Finds the receivers of alerts: by our resolver, as everything of ours, and where that knows no such name or does not
 * answer, as the machine does. So a name of the container's network or of /etc/hosts will do, and an alert that our
 * resolver is down still finds its way. No stranger chooses these names.
 */
export function receiverLookup(names: Names): LookupFunction {
  return (hostname, options, callback) => {
    const literal = isIP(hostname);
    const found = literal === 0 ? names.addresses(hostname) : Promise.resolve({ type: "none" } as const);
    void found.then((answer) => {
      const [address] = answer.type === "addresses" ? answer.addresses : [];
      if (address === undefined) systemLookup(hostname, options, callback);
      else if (options.all === true) callback(null, [{ address, family: 4 }]);
      else callback(null, address, 4);
    });
  };
}

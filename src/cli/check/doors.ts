import type { Door } from "../../adapters/probes/handshake.ts";
import type { Settings } from "../../settings/schema.ts";

/** The ports of mail, and how TLS starts there (RFC 3207, RFC 8314). */
export function doorsOf(settings: Settings): readonly Door[] {
  return [
    { name: "SMTP", port: settings["ports.smtp"], tlsStart: "starttls", goodbye: "QUIT" },
    { name: "submission", port: settings["ports.submission"], tlsStart: "starttls", goodbye: "QUIT" },
    { name: "submissions", port: settings["ports.submissions"], tlsStart: "at_once", goodbye: "QUIT" },
    { name: "IMAPS", port: settings["ports.imaps"], tlsStart: "at_once", goodbye: "a LOGOUT" },
  ];
}

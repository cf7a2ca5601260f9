import { orEmpty } from "../kinds/lists.ts";
import { flag, oneOf, port } from "../kinds/plain.ts";
import { hostOrAddress, path } from "../kinds/texts.ts";
import type { Setting } from "../setting.ts";

/** Where the events are sent in addition to the database. */
export const exported = {
  "export.syslog.enabled": {
    kind: flag,
    byDefault: false,
    says: "Send each event to another machine as a message of syslog, over TLS.",
    source: "RFC 5424",
  },
  "export.syslog.host": {
    kind: orEmpty(hostOrAddress),
    byDefault: "",
    says: "Name or address of the receiver. Its certificate must have it.",
  },
  "export.syslog.port": { kind: port, byDefault: 6514, says: "Port of the receiver.", source: "RFC 5425 section 4.1" },
  "export.syslog.protocol": {
    kind: oneOf("relp", "tls"),
    byDefault: "relp",
    says: "How they are sent. `relp`: the receiver confirms each event. `tls`: plain syslog over TLS, which has no confirmation; for receivers that know no RELP.",
    source: "RFC 5425",
  },
  "export.syslog.ca": {
    kind: orEmpty(path),
    byDefault: "",
    says: "File of certificate authorities (PEM) that may sign the receiver's certificate; empty means the public ones. The user ghostinbox-export must be able to read it.",
  },
  "export.syslog.cert": {
    kind: orEmpty(path),
    byDefault: "",
    says: "Certificate (PEM) with which this server proves to the receiver who it is; empty means none. The user ghostinbox-export must be able to read it.",
  },
  "export.syslog.key": {
    kind: orEmpty(path),
    byDefault: "",
    says: "Private key of `export.syslog.cert` (PEM). The user ghostinbox-export must be able to read it.",
  },
} as const satisfies Record<string, Setting<unknown>>;

/** The requests of the load and their answers, shared by the process that makes the load and the one that starts it. */

/** The only mailbox of the measured server. */
export const RECIPIENT = "alice@example.org";

/** Fixed width, so that digits can be patched in place: 198.18.100.100 to 198.19.255.255 (RFC 2544, benchmarks). */
const WIDE = 156;
export const MOST_V4_ADDRESSES = 2 * WIDE * WIDE;

export type Stage = "CONNECT" | "RCPT" | "DATA" | "END-OF-MESSAGE";
export type Family = "v4" | "v6";

export type LoadPlan = Readonly<{
  socket: string;
  connections: number;
  stages: readonly Stage[];
  /** How many client addresses take turns, one a mail. IPv4 has at most 48,672. */
  addresses: number;
  family: Family;
  /** Ends after this many requests ... */
  requests: number;
  /** ... or after this long, whichever comes first. */
  runMs: number;
  warmUpMs: number;
}>;

/** All of Postfix's questions about each mail, each from the next address, until the time is over. */
export const WHOLE_MAILS = {
  connections: 8,
  stages: ["CONNECT", "RCPT", "DATA", "END-OF-MESSAGE"],
  addresses: MOST_V4_ADDRESSES,
  family: "v4",
  requests: Number.MAX_SAFE_INTEGER,
  runMs: 300_000,
  warmUpMs: 0,
} as const satisfies Omit<LoadPlan, "socket">;

export type LoadResult = Readonly<{
  /** When the first request left, by CLOCK_MONOTONIC. Nanoseconds. */
  begunAtNs: number;
  answers: number;
  /** Answers that were not DUNNO. */
  others: number;
  seconds: number;
  p50Ms: number;
  p99Ms: number;
  p999Ms: number;
  mostMs: number;
  /** Processor time of the client divided by the elapsed time: at 1 it would be the bottleneck. */
  cpuShare: number;
}>;

type Request = Readonly<{ bytes: Buffer; family: Family; addressAt: number; instanceAt: number; portAt: number }>;

const INSTANCE_DIGITS = 7;
const INSTANCE = "1a2b.5f000000.";
/** Address and port identify a connection, and each mail has its own connection. */
const FIRST_PORT = 10_000;
const PORTS = 50_000;
const V4 = "198.18.100.100";
const V6 = "2001:db8:1000:1000::1";
const HEX = Buffer.from("0123456789abcdef");
const ZERO = 48;

/** A request as Postfix 3.7 sends it. */
export function requestOf(stage: Stage, family: Family): Request {
  const address = family === "v4" ? V4 : V6;
  const mail = stage !== "CONNECT";
  const instance = `${INSTANCE}${"0".repeat(INSTANCE_DIGITS)}.0`;
  const lines: readonly (readonly [string, string])[] = [
    ["request", "smtpd_access_policy"],
    ["protocol_state", stage],
    ["protocol_name", "ESMTP"],
    ["helo_name", mail ? "mail.stranger.example" : ""],
    ["queue_id", stage === "CONNECT" || stage === "RCPT" ? "" : "4XyZ1b2c3dz1Kq"],
    ["sender", mail ? "newsletter@stranger.example" : ""],
    ["recipient", mail ? RECIPIENT : ""],
    ["recipient_count", stage === "DATA" || stage === "END-OF-MESSAGE" ? "1" : "0"],
    ["client_address", address],
    ["client_name", "unknown"],
    ["reverse_client_name", "unknown"],
    ["instance", instance],
    ...empty("sasl_method", "sasl_username", "sasl_sender"),
    ["size", stage === "CONNECT" ? "0" : "2048"],
    ...empty("ccert_subject", "ccert_issuer", "ccert_fingerprint", "ccert_pubkey_fingerprint"),
    ["encryption_protocol", mail ? "TLSv1.3" : ""],
    ["encryption_cipher", mail ? "TLS_AES_256_GCM_SHA384" : ""],
    ["encryption_keysize", mail ? "256" : "0"],
    ...empty("etrn_domain", "stress"),
    ["client_port", String(FIRST_PORT)],
    ["policy_context", "smtp"],
    ["server_address", "203.0.113.10"],
    ["server_port", "25"],
  ];
  const text = `${lines.map(([name, value]) => `${name}=${value}\n`).join("")}\n`;
  const bytes = Buffer.from(text, "latin1");
  return {
    bytes,
    family,
    addressAt: text.indexOf(address),
    instanceAt: text.indexOf(instance) + INSTANCE.length,
    portAt: text.indexOf(`client_port=${FIRST_PORT}`) + "client_port=".length,
  };
}

function empty(...names: readonly string[]) {
  return names.map((name) => [name, ""] as const);
}

/** Makes it the request of the `address`-th client and the `mail`-th mail. */
export function writeDigits(request: Request, address: number, mail: number): void {
  const { bytes, family, addressAt, instanceAt, portAt } = request;
  if (family === "v4") {
    bytes[addressAt + 5] = ZERO + 8 + (Math.floor(address / (WIDE * WIDE)) % 2);
    writeDecimal(bytes, addressAt + 7, 3, 100 + (Math.floor(address) % WIDE));
    writeDecimal(bytes, addressAt + 11, 3, 100 + (Math.floor(address / WIDE) % WIDE));
  } else {
    // The third group keeps its leading 1, because no group may start with 0.
    let rest = address;
    for (const at of [18, 17, 16, 13, 12, 11]) {
      bytes[addressAt + at - 1] = HEX[rest & 15] ?? ZERO;
      rest >>= 4;
    }
  }
  writeDecimal(bytes, instanceAt, INSTANCE_DIGITS, mail);
  writeDecimal(bytes, portAt, 5, FIRST_PORT + (mail % PORTS));
}

function writeDecimal(bytes: Buffer, at: number, width: number, value: number): void {
  let rest = value;
  for (let i = width - 1; i >= 0; i--) {
    bytes[at + i] = ZERO + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}

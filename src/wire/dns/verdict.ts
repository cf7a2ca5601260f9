import type { DnsRecord } from "./records.ts";

/** The resolver's answer for one name and type; values are written as in `DnsRecord`. */
export type Published =
  | Readonly<{ type: "values"; values: readonly string[] }>
  | Readonly<{ type: "none" }>
  | Readonly<{ type: "failed"; why: string }>;

export type RecordVerdict = Readonly<{ status: "ok" | "missing" | "wrong" | "unknown"; detail: string }>;

/** Whether the published records do their job; they do not have to be the same to the letter. */
export function judge(record: DnsRecord, published: Published): RecordVerdict {
  if (published.type === "failed")
    return { status: "unknown", detail: `The resolver did not answer (${published.why}).` };
  const values = published.type === "values" ? published.values : [];
  switch (record.kind) {
    case "spf":
    case "helo_spf":
      return judgeSpf(record, values);
    case "dkim":
      return judgeDkim(record, values);
    case "dmarc":
      return judgeDmarc(values);
    case "tls_report":
      return oneOf(values.filter((value) => value.startsWith("v=TLSRPTv1")));
    case "mx":
      return judgeHost(values, lastWord(record.value));
    default:
      return judgeExact(record, values);
  }
}

function judgeSpf(record: DnsRecord, values: readonly string[]): RecordVerdict {
  const found = values.filter((value) => /^v=spf1( |$)/i.test(value));
  const [only] = found;
  if (only === undefined) return MISSING;
  // RFC 7208 section 4.5: with two, every receiver gives up.
  if (found.length > 1) return wrong("There are several SPF records; only one may be.");
  if (only === record.value) return { status: "ok", detail: only };
  if (/[+?]?\ball$/i.test(only) && !/[-~]all$/i.test(only)) return wrong(`It lets everybody send: ${only}`);
  return { status: "unknown", detail: `Yours is another; make sure that it names this server: ${only}` };
}

function judgeDkim(record: DnsRecord, values: readonly string[]): RecordVerdict {
  const keyOf = (text: string): string | undefined => /(?:^|;)\s*p=([^;]*)/.exec(text)?.[1]?.replaceAll(/\s/g, "");
  if (values.length === 0) return MISSING;
  const same = values.length === 1 && keyOf(values[0] ?? "") === keyOf(record.value);
  return same ? { status: "ok", detail: "It is our key." } : wrong("It is another key than that of our signatures.");
}

function judgeDmarc(values: readonly string[]): RecordVerdict {
  const found = values.filter((value) => /^v=DMARC1\s*;/.test(value));
  const [only] = found;
  if (only === undefined) return MISSING;
  if (found.length > 1) return wrong("There are several DMARC records; only one may be.");
  const policy = /;\s*p\s*=\s*(none|quarantine|reject)\s*(;|$)/i.exec(only)?.[1]?.toLowerCase();
  if (policy === undefined) return wrong(`It has no policy (p=): ${only}`);
  return { status: "ok", detail: policy === "none" ? `It only watches (p=none): ${only}` : only };
}

function judgeHost(values: readonly string[], host: string): RecordVerdict {
  if (values.length === 0) return MISSING;
  const hosts = values.map(lastWord);
  if (!hosts.includes(host)) return wrong(`It names ${hosts.join(", ")}`);
  const others = hosts.filter((other) => other !== host);
  return {
    status: "ok",
    detail: others.length === 0 ? "It names this server alone." : `It names this server and ${others.join(", ")}`,
  };
}

function judgeExact(record: DnsRecord, values: readonly string[]): RecordVerdict {
  if (values.length === 0) return MISSING;
  const wanted = record.value.toLowerCase();
  if (!values.some((value) => value.toLowerCase() === wanted)) return wrong(`It says ${values.join(", ")}`);
  return { status: "ok", detail: values.join(", ") };
}

function oneOf(values: readonly string[]): RecordVerdict {
  const [first] = values;
  return first === undefined ? MISSING : { status: "ok", detail: first };
}

const MISSING: RecordVerdict = { status: "missing", detail: "It is not published." };

function wrong(detail: string): RecordVerdict {
  return { status: "wrong", detail };
}

function lastWord(text: string): string {
  return text.slice(text.lastIndexOf(" ") + 1).toLowerCase();
}

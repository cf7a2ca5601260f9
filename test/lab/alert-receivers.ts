import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { patienceSeconds } from "../kit/patience.ts";
import { type HttpReceiver, type Received, startReceiver } from "./http-receiver.ts";
import type { Lab } from "./lab.ts";
import { mailsIn } from "./mailbox.ts";
import type { Environment, Product } from "./product.ts";
import { makeCertificate, startTlsServer } from "./tls-server.ts";
import { until } from "./wait.ts";

/** The address of mx.sender.test in the lab's DNS. */
const ELSEWHERE = "198.51.100.10";
export const WEBHOOK_KEY = "c2VjcmV0IGtleSBvZiB0aGUgd2ViaG9vaw==";
const PORTS = { webhook: 8001, ntfy: 8002, gotify: 8003, apprise: 8004, watcher: 8005 } as const;
type Kind = keyof typeof PORTS;

export type AlertReceivers = Awaited<ReturnType<typeof startAlertReceivers>>;

/** A receiver of each kind on the sender host, and the mailbox of anna@example.test. */
export async function startAlertReceivers({ sender, directory }: Lab) {
  const certificate = await makeCertificate(directory, "relay", "mx.sender.test");
  const where = { directory, address: ELSEWHERE, port: 2587, certificate };
  const relay = await startTlsServer(sender, where, { user: "alerts", password: "a secret" });
  const http = new Map<string, HttpReceiver>();
  for (const [kind, port] of Object.entries(PORTS))
    http.set(kind, await startReceiver(sender, directory, ELSEWHERE, port));
  const secret = (name: string, text: string): string => {
    const file = join(directory, `alert-${name}`);
    writeFileSync(file, `${text}\n`);
    chmodSync(file, 0o644);
    return file;
  };
  const at = (kind: Kind, path: string): string => `http://${ELSEWHERE}:${PORTS[kind]}${path}`;
  const environment: Environment = {
    GHOSTINBOX_ALERTS__CONTACTS: "Anna +49 30 1234567",
    GHOSTINBOX_ALERTS__EMAIL: "anna@example.test",
    GHOSTINBOX_ALERTS__RELAY: "mx.sender.test:2587",
    GHOSTINBOX_ALERTS__RELAY_TO: "anna@sender.test",
    GHOSTINBOX_ALERTS__RELAY_USER: "alerts",
    GHOSTINBOX_ALERTS__RELAY_PASSWORD_FILE: secret("password", "a secret"),
    GHOSTINBOX_ALERTS__CA: certificate.cert,
    GHOSTINBOX_ALERTS__WEBHOOK: `http://mx.sender.test:${PORTS.webhook}/hook?secret=1`,
    GHOSTINBOX_ALERTS__WEBHOOK_SECRET_FILE: secret("key", `whsec_${WEBHOOK_KEY}`),
    GHOSTINBOX_ALERTS__NTFY: at("ntfy", "/my-topic"),
    GHOSTINBOX_ALERTS__NTFY_TOKEN_FILE: secret("token", "a-token"),
    GHOSTINBOX_ALERTS__GOTIFY: at("gotify", "/"),
    GHOSTINBOX_ALERTS__GOTIFY_TOKEN_FILE: secret("token", "a-token"),
    GHOSTINBOX_ALERTS__APPRISE: at("apprise", "/notify/my-key"),
    GHOSTINBOX_ALERTS__HEARTBEAT: at("watcher", "/alive"),
    GHOSTINBOX_ALERTS__HEARTBEAT_EVERY: "1s",
    GHOSTINBOX_ALERTS__RESOLVE_AFTER: `${patienceSeconds(2)}s`,
    GHOSTINBOX_ALERTS__DIGEST: "0s",
  };

  const received = (kind: Kind): readonly Received[] => http.get(kind)?.received() ?? [];
  /** The messages of each channel, as received. */
  const alerts = ({ layout }: Product): ReadonlyMap<string, readonly string[]> => {
    const kinds = ["webhook", "ntfy", "gotify", "apprise"] as const;
    return new Map<string, readonly string[]>([
      ["email", mailsIn(layout, "anna@example.test")],
      ["relay", relay.mails()],
      ...kinds.map((kind) => [kind, received(kind).map(({ body }) => body)] as const),
    ]);
  };
  /** Counts the messages with exactly this title, by channel. */
  const counts = (product: Product, title: string): readonly (readonly [string, number])[] => {
    const pattern = new RegExp(`(?:\\] |\\] CRITICAL: |"title":")${title.replace(/[()]/g, "\\$&")}`);
    const isOne = (text: string): boolean => pattern.test(text.replace(/\r?\n[ \t]/g, " "));
    return Array.from(alerts(product), ([name, texts]) => [name, texts.filter(isOne).length]);
  };
  const neverTwice = (product: Product, title: string): void => {
    const all = counts(product, title);
    if (all.some(([, n]) => n !== 1)) throw new Error(`${title}: ${JSON.stringify(all)}`);
  };
  /** Waits until each channel has received this alert exactly once. */
  const onceEverywhere = async (product: Product, title: string): Promise<void> => {
    try {
      await until(title, () => counts(product, title).every(([, n]) => n >= 1));
    } finally {
      neverTwice(product, title);
    }
  };
  /** Makes a receiver refuse messages from now on, or accept them again. */
  const refuse = (kind: Kind, refuses: boolean): void => http.get(kind)?.refuse(refuses);
  return { environment, received, alerts, onceEverywhere, neverTwice, refuse };
}

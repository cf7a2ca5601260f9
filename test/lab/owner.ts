import assert from "node:assert/strict";
import { type Received, startReceiver } from "./http-receiver.ts";
import type { Lab } from "./lab.ts";
import type { Environment, Product } from "./product.ts";
import { until } from "./wait.ts";

const ELSEWHERE = { address: "198.51.100.10", port: 8001 } as const;
/** Deadline for a notice to appear. */
const NOTICED_MS = 30_000;

/** Prevents a nightly backup during the test, because the first one causes a notice. */
export const NO_BACKUP_NOW: Environment = { GHOSTINBOX_BACKUP__HOUR: String((new Date().getHours() + 12) % 24) };

/** Sends alerts by mail, and to a webhook on another host in case no mail goes out. */
export const ALERTS_ELSEWHERE: Environment = {
  ...NO_BACKUP_NOW,
  GHOSTINBOX_ALERTS__EMAIL: "anna@example.test",
  GHOSTINBOX_ALERTS__WEBHOOK: `http://${ELSEWHERE.address}:${ELSEWHERE.port}/hook`,
  GHOSTINBOX_ALERTS__RESOLVE_AFTER: "2s",
};

export type Owner = Awaited<ReturnType<typeof ownerOf>>;

/** The server's owner, who watches `status` and a receiver of alerts on another host. */
export async function ownerOf(product: Product, { sender, directory }: Lab) {
  const elsewhere = await startReceiver(sender, directory, ELSEWHERE.address, ELSEWHERE.port);
  const health = async () => (await product.stats()).health;
  return {
    /** Returns the detail of a notice; empty if there is none. */
    detailOf: async (code: string) => (await product.notice(code)) ?? "",

    /** Waits until `status` and an alert elsewhere mention each of these components or notice codes. */
    isAlertedTo: async (expected: Readonly<Record<string, RegExp>>): Promise<void> => {
      const from = performance.now();
      const all = Object.keys(expected).join();
      const isAlerted = async (): Promise<true> => {
        const { components, notices } = await health();
        for (const [name, detail] of Object.entries(expected)) {
          const component = components.find((one) => one.name === name);
          const found = component ?? notices.find(({ code }) => code === name);
          assert.match(found?.detail ?? "", detail);
          // Undoes JSON's escapes of quotation marks.
          const tells = ({ body }: Received) => body.includes(name) && detail.test(body.replaceAll('\\"', '"'));
          assert.ok(elsewhere.received().some(tells), name);
        }
        return true;
      };
      await until(`the owner is alerted to ${all}`, isAlerted, NOTICED_MS);
      console.log(`alerted to ${all} after ${secondsSince(from)} s`);
    },

    seesAllWell: async (): Promise<void> => {
      const from = performance.now();
      const isWell = async (): Promise<boolean> => {
        const { components, notices } = await health();
        assert.deepEqual(notices, []);
        return components.every(({ status }) => status === "ok");
      };
      await until("all is well", isWell);
      console.log(`all is well after ${secondsSince(from)} s`);
    },
  };
}

const secondsSince = (from: number): number => Math.round((performance.now() - from) / 100) / 10;

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { after, before } from "node:test";
import { copiedCheckout, copyCheckout } from "./checkout.ts";
import { addFirstAccounts } from "./first-accounts.ts";
import { type Lab, newLab } from "./lab.ts";
import { whyNoLab } from "./network.ts";
import { type Environment, Product } from "./product.ts";

/** For a `describe` in a lab: skips it, with the reason, where none can be made. */
export const needsLab = () => ({ skip: whyNoLab() ?? false });

export type Running = Readonly<{ lab: Lab; product: Product }>;

/** Further options for a few test files. */
export type Besides = Readonly<{
  /** Lines of a zone file for the lab's DNS. */
  records?: () => readonly string[] | Promise<readonly string[]>;
  /** The text of `ghostinbox.toml` before the first start. */
  toml?: string;
  /** A program that starts `npm start`, with fewer rights than the lab has. */
  within?: readonly string[];
  /** Whether it runs from a copy of the checkout, `copiedCheckout(lab)`, which `prepare` and the test may change. */
  copied?: boolean;
  /** Whether npm starts it, as a user types it. Otherwise its start script runs without npm. */
  isByNpm?: boolean;
  /** Runs once the lab is ready and before the server starts: other hosts, files, settings that name them. */
  prepare?: (running: Running) => void | Promise<void>;
  /** Runs once the server has stopped: removes what `prepare` made outside the lab. */
  release?: () => void | Promise<void>;
}>;

/**
 * The server in a separate lab, for the tests of one `describe`: starts before the first of them with these settings
 * and accounts, stops after the last, and fails if anything is left over. Both objects exist immediately, so that a
 * test file can refer to them, but do nothing before the first test.
 */
export function withProduct(
  settings: Environment = {},
  accounts: readonly string[] = [],
  besides: Besides = {},
): Running {
  const lab = newLab();
  const checkout = besides.copied === true ? copiedCheckout(lab) : undefined;
  const product = new Product(lab, settings, { within: besides.within, checkout, isByNpm: besides.isByNpm ?? false });
  before(async () => {
    await lab.start((await besides.records?.()) ?? []);
    if (besides.toml !== undefined) {
      mkdirSync(dirname(product.layout.settings), { recursive: true });
      writeFileSync(product.layout.settings, besides.toml);
    }
    if (checkout !== undefined) copyCheckout(checkout);
    await besides.prepare?.({ lab, product });
    await product.start();
    await addFirstAccounts(product.layout, accounts);
  });
  after(async () => {
    try {
      await product.stopAndCheck();
    } finally {
      await besides.release?.();
      lab.remove();
    }
  });
  return { lab, product };
}

/** After the tests of a `describe`, ends what they ran, and removes the lab even if that fails. */
export function endsBy(lab: Lab, end: () => void | Promise<void>): void {
  after(async () => {
    try {
      await end();
    } finally {
      lab.remove();
    }
  });
}

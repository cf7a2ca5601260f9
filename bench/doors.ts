import type { Product } from "../test/lab/product.ts";
import { until } from "../test/lab/wait.ts";

/** Swaps parameters of the running Postfix and waits until no smtpd works by the old ones; nothing else differs. */
export async function reconfigure(product: Product, parameters: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, value] of Object.entries(parameters)) await postconf(product, ["-e", `${name} = ${value}`]);
  const before = smtpds(product);
  await product.lab.server.mustExec(["postfix", "-c", product.layout.postfixConf, "reload"]);
  await until("no smtpd has the old configuration", () => before.every((pid) => !smtpds(product).includes(pid)));
}

/** The value of a parameter as the product rendered it. */
export async function rendered(product: Product, name: string): Promise<string> {
  return (await postconf(product, ["-h", name])).trim();
}

function postconf(product: Product, argv: readonly string[]): Promise<string> {
  return product.lab.server.mustExec(["postconf", "-c", product.layout.postfixConf, ...argv]);
}

function smtpds(product: Product): readonly number[] {
  return product.pidsOf(/ smtpd /);
}

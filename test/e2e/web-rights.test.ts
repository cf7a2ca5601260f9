import assert from "node:assert/strict";
import { dirname } from "node:path";
import { after, before, describe, test } from "node:test";
import { Lab } from "../lab/lab.ts";
import { whyNoLab } from "../lab/network.ts";
import { Product } from "../lab/product.ts";

const AS_WEB = ["setpriv", "--reuid", "ghostinbox-web", "--regid", "ghostinbox-web", "--init-groups"];

describe("what the web may read", { skip: whyNoLab() ?? false }, () => {
  let lab: Lab;
  let product: Product;
  before(async () => {
    lab = await Lab.make();
    product = await new Product(lab).start();
  });
  after(async () => {
    try {
      await product.stopAndCheck();
    } finally {
      lab.remove();
    }
  });

  test("is what it shows, and neither secrets nor logs nor the guard's other socket", async () => {
    await expectLeastRights(lab, product);
  });

  test("is no more after an upgrade from a version whose web was in the guard's group", async () => {
    await product.stop();
    const { settings, engineDb, webSocket } = product.layout;
    const machine = lab.server;
    await machine.mustExec(["chgrp", "-R", "ghostinbox", settings, dirname(engineDb), dirname(webSocket)]);
    await machine.mustExec(["gpasswd", "--add", "ghostinbox-web", "ghostinbox"]);
    await product.start();
    await expectLeastRights(lab, product);
  });
});

async function expectLeastRights({ server }: Lab, { layout }: Product): Promise<void> {
  const may = async (flag: "-r" | "-w", path: string): Promise<boolean> =>
    (await server.exec([...AS_WEB, "test", flag, path])).code === 0;
  for (const path of [layout.settings, layout.engineDb, `${layout.engineDb}-wal`]) {
    assert.ok(await may("-r", path), `reads ${path}`);
    assert.ok(!(await may("-w", path)), `does not write ${path}`);
  }
  assert.ok(await may("-w", layout.webSocket), "speaks to the guard");
  for (const path of [layout.loginPolicySecret, layout.mailLog, layout.accountsDb, layout.tlsKey])
    assert.ok(!(await may("-r", path)), `does not read ${path}`);
  for (const path of [layout.controlSocket, layout.keeperSocket, layout.policySocket])
    assert.ok(!(await may("-w", path)), `does not speak at ${path}`);
}

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { whyNoLab } from "../lab/network.ts";
import { PASSWORD } from "../lab/product.ts";
import { AWAY, HOME, signInsFrom } from "../lab/sign-ins.ts";
import { until } from "../lab/wait.ts";
import { withProduct } from "../lab/with-product.ts";

const ANNA = "anna@example.test";
const BERT = "bert@example.test";

describe("what the owner of a mailbox has besides its password", { skip: whyNoLab() ?? false }, () => {
  const { lab, product } = withProduct({ GHOSTINBOX_LIMITS__CONNECTIONS__PER_MINUTE: "1000" }, [ANNA, BERT]);
  const { signsIn, submits } = signInsFrom(lab.sender);
  const cli = async (line: string, input = ""): Promise<string> => {
    const ran = await product.cli(line.split(" "), { input });
    return ran.stdout + ran.stderr;
  };
  async function made(name: string): Promise<string> {
    const [password = ""] = (await cli(`account app-password add ${ANNA} ${name}`)).split("\n");
    assert.match(password, /^[a-z2-9]{5}(-[a-z2-9]{5}){3}$/);
    return password;
  }

  test("an app password reads and sends, for its account alone, and events name it", async () => {
    const [phone, laptop] = [await made("phone"), await made("Annas Laptop")];
    for (const password of [phone, laptop, PASSWORD]) assert.ok(await signsIn(ANNA, password));
    assert.ok(await submits(ANNA, phone));
    assert.ok(await signsIn("Anna@Example.TEST", phone));
    for (const [name, password] of [
      [BERT, phone],
      [ANNA, phone.toUpperCase()],
      [ANNA, `${phone}x`],
      ["nobody@example.test", phone],
    ] as const)
      assert.equal(await signsIn(name, password), false, `${name} ${password}`);
    const why = await until("both are events", async () => {
      const told = await cli(`why --account ${ANNA}`);
      return /with app password phone/.test(told) && /with app password Annas Laptop/.test(told) ? told : null;
    });
    assert.match(why, /^ {2}app passwords +phone \(used .* UTC\), Annas Laptop \(used .* UTC\)$/m);
    assert.doesNotMatch(why, new RegExp(phone));
    assert.match(await cli(`account app-password list ${ANNA}`), /^phone +\d\S+ \S+ UTC +\d\S+ \S+ UTC +root$/m);
    const login = await lab.server.exec(["grep", "-rl", phone, product.layout.data]);
    assert.equal(login.stdout, "", "it is stored nowhere, nor in a log");
  });

  test("it holds to the networks of its account, and to what happens to the account", async () => {
    const phone = await made("tablet");
    await product.json(["account", "networks", ANNA, "add", `${HOME}/32`]);
    assert.deepEqual([await signsIn(ANNA, phone), await submits(ANNA, phone, AWAY)], [true, false]);
    await product.json(["account", "networks", ANNA, "remove", `${HOME}/32`]);
    await product.json(["account", "suspend", ANNA]);
    assert.equal(await signsIn(ANNA, phone), false);
    await product.json(["account", "resume", ANNA]);
    assert.ok(await signsIn(ANNA, phone));
    await product.json(["account", "app-password", "remove", ANNA, "tablet"]);
    assert.deepEqual([await signsIn(ANNA, phone), await signsIn(ANNA)], [false, true]);
    const watch = await made("watch");
    assert.ok(await signsIn(ANNA, watch));
    await cli(`account passwd ${ANNA} --password-stdin`, "lamp orchid kettle\n");
    assert.deepEqual([await signsIn(ANNA, watch), await signsIn(ANNA, "lamp orchid kettle")], [false, true]);
    assert.match(await cli(`account app-password list ${ANNA}`), /has no app password/);
    assert.match(await cli("audit list"), /APP_PASSWORD_REMOVED +tablet of anna@/);
  });
});

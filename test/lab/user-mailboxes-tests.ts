import assert from "node:assert/strict";
import { test } from "node:test";
import { ANNA, assertAccepted, BERT, sendMail } from "./mail.ts";
import { findMail, mailText } from "./mailbox.ts";
import { PASSWORD } from "./product.ts";
import { AWAY, HOME, signInsFrom } from "./sign-ins.ts";
import { waitingIn } from "./submitted.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

/** Another server of Anna's, and one whose mail is proven. */
const ELSEWHERE = "anna@elsewhere.test";
const HONEST = "198.51.100.10";

/** `there`: the mails that elsewhere.test received. */
export function userMailboxesTests({ lab, product }: Running, there: () => readonly string[]): void {
  const { signsIn, submits } = signInsFrom(lab.sender);
  const cli = product.prints;
  async function made(name: string): Promise<string> {
    const [password = ""] = (await cli(`account app-password add ${ANNA} ${name}`)).split("\n");
    assert.match(password, /^[a-z2-9]{5}(-[a-z2-9]{5}){3}$/);
    return password;
  }

  test("an app password reads and sends, only for its account, and events name it", async () => {
    const [phone, laptop] = [await made("phone"), await made("Annas Laptop")];
    for (const password of [phone, laptop, PASSWORD]) assert.ok(await signsIn(ANNA, password));
    assert.ok(await submits(ANNA, phone));
    assert.ok(await signsIn("Anna@Example.TEST", phone));
    for (const name of [BERT, "nobody@example.test"]) assert.equal(await signsIn(name, phone), false, name);
    for (const wrong of [phone.toUpperCase(), `${phone}x`]) assert.equal(await signsIn(ANNA, wrong), false, wrong);
    const why = await until("both are events", async () => {
      const story = await cli(`why --account ${ANNA}`);
      return ["phone", "Annas Laptop"].every((name) => story.includes(`with app password ${name}`)) && story;
    });
    const times = "\\(made .* UTC, last used .* UTC\\)";
    assert.match(why, new RegExp(`^ {2}app password +Annas Laptop ${times}\\n +phone ${times}$`, "m"));
    assert.doesNotMatch(why, new RegExp(phone));
    assert.match(await cli(`account app-password list ${ANNA}`), /^phone +\d\S+ \S+ UTC +\d\S+ \S+ UTC +root$/m);
    const found = await lab.server.exec(["grep", "-rl", phone, product.layout.data]);
    assert.equal(found.stdout, "", "it is stored nowhere, not even in a log");
  });

  test("an app password is bound to its account's networks, and ends or pauses with the account", async () => {
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

  test("an account's mail, also to its aliases, is forwarded with or without a copy, until that is turned off", async () => {
    const write = async (subject: string, recipient = ANNA): Promise<void> => {
      const text = mailText({ subject, from: "someone@written.test", to: recipient });
      const mail = { host: lab.sender, from: HONEST, sender: "someone@written.test", recipient, text };
      assertAccepted(await sendMail(mail));
    };
    const isThere = (subject: string): boolean => there().some((mail) => mail.includes(`Subject: ${subject}`));
    const allSent = () => until("no mail waits", async () => (await waitingIn({ lab, product })).length === 0);
    await product.json(["alias", "add", "sales@example.test", ANNA]);

    const set = await cli(`account forward ${ANNA} ${ELSEWHERE}`);
    assert.match(set, /sent on to anna@elsewhere\.test, and a copy stays/);
    await write("with a copy");
    await write("by an alias", "sales@example.test");
    for (const subject of ["with a copy", "by an alias"]) {
      await until(`it is there: ${subject}`, () => isThere(subject));
      await until(`it is here: ${subject}`, () => findMail(product.layout, subject));
    }
    assert.match(await cli("access review"), /^anna@example\.test +-> anna@elsewhere\.test +\(account forward\)$/m);

    await cli(`account forward ${ANNA} ${ELSEWHERE} ${BERT} --no-keep`);
    await write("without a copy");
    await until("it is there", () => isThere("without a copy"));
    await until("Bert has it", () => findMail(product.layout, "without a copy", { account: BERT }));
    await allSent();
    assert.equal(findMail(product.layout, "without a copy"), null);
    assert.match(await cli(`account forward ${BERT} ${ANNA}`), /would return/);
    const says = /^ {2}forwarding to +anna@elsewhere\.test \(no copy stays here\)\n +bert@\S+ \(no copy stays here\)$/m;
    assert.match(await cli(`why --account ${ANNA}`), says);

    assert.match(await cli(`account forward ${ANNA} --off`), /stays in its mailbox/);
    await write("here again");
    await until("it is here", () => findMail(product.layout, "here again"));
    await allSent();
    assert.equal(isThere("here again"), false);
    assert.match(await cli("audit list"), /FORWARDING_CHANGED +anna@example\.test no longer/);
  });
}

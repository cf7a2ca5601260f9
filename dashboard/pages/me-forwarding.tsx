import { get, put, remove } from "../api.ts";
import { tell } from "../attempt.ts";
import { t } from "../mailbox-texts.ts";
import { Card, Field, fieldsOf, Said, useAttempt, useLoaded, Waiting } from "../parts.tsx";
import { withProof } from "../proof.tsx";
import { focusHeading } from "../shell.tsx";

type Forwarding = Readonly<{ to: readonly string[]; keep: boolean }>;

/** As many as the server takes. */
const MOST = 10;

/** Where the reader's mail is sent on, and whether a copy stays. */
export function ForwardingCard() {
  const { data, error, reload } = useLoaded(() => get<Forwarding>("me/forwarding"), []);
  const words = t.value.me.forwarding;
  return (
    <Card title={words.title}>
      <p class="hint">{words.hint}</p>
      <Waiting error={error} reload={reload} isLoaded={data !== null} />
      {data !== null && <Addresses forwarding={data} changed={reload} />}
    </Card>
  );
}

type Changes = Readonly<{ forwarding: Forwarding; changed: () => void }>;

function Addresses({ forwarding: { to, keep }, changed }: Changes) {
  const { isBusy, attempt } = useAttempt();
  const words = t.value.me.forwarding;
  // What this page knows may be older than its own last change.
  const set = async (change: (now: Forwarding) => Forwarding, says: string): Promise<void> => {
    const wanted = change(await get<Forwarding>("me/forwarding"));
    await withProof(() => (wanted.to.length === 0 ? remove("me/forwarding") : put("me/forwarding", wanted)));
    tell(says);
    changed();
  };
  const add = (event: Event): void => {
    event.preventDefault();
    const form = event.currentTarget;
    const { address = "" } = fieldsOf(form);
    if (to.includes(address)) return tell(words.isThere(address), { tone: "bad" });
    attempt(async () => {
      await set(
        (now) => ({ ...now, to: [...now.to.filter((one) => one !== address), address] }),
        words.isSent(address),
      );
      if (form instanceof HTMLFormElement) form.reset();
    });
  };
  const takeOff = (address: string): void =>
    attempt(async () => {
      await set((now) => ({ ...now, to: now.to.filter((one) => one !== address) }), words.isOff(address));
      focusHeading();
    });
  const keepOrNot = (): void =>
    attempt(() => set((now) => ({ ...now, keep: !keep }), keep ? words.noCopy : words.copy));
  return (
    <>
      {to.length === 0 && <p class="empty">{words.none}</p>}
      <ul class="rows">
        {to.map((address) => (
          <li key={address} class="row act">
            <Said text={address} />
            <button
              type="button"
              aria-label={words.offOf(address)}
              aria-disabled={isBusy}
              onClick={() => takeOff(address)}
            >
              {words.off}
            </button>
          </li>
        ))}
      </ul>
      {to.length > 0 && (
        <div class="bar">
          <span>{keep ? words.copy : words.noCopy}</span>
          <button type="button" aria-disabled={isBusy} onClick={keepOrNot}>
            {keep ? words.keepNone : words.keep}
          </button>
        </div>
      )}
      {to.length >= MOST && <p class="hint">{words.most}</p>}
      {to.length < MOST && (
        <form class="fields" onSubmit={add}>
          <Field label={words.address} name="address" type="email" required maxLength={320} />
          <div class="buttons">
            <button type="submit" aria-disabled={isBusy}>
              {words.send}
            </button>
          </div>
        </form>
      )}
    </>
  );
}

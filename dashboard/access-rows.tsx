import type { SessionItem } from "../src/admin/declare/items.ts";
import { Surely } from "./fields.tsx";
import { t } from "./messages.ts";
import { At, Said } from "./parts.tsx";

type Props = Readonly<{
  name: string;
  /** Both ISO 8601. */
  madeAt: string;
  lastUsed: string | null;
  words: Readonly<{
    made: string;
    used: string;
    unused: string;
    remove: string;
    removeOf: (name: string) => string;
    surely: (name: string) => string;
  }>;
  takeOff: () => Promise<void>;
}>;

/** Something that its owner signs in with, by the name that they gave it: since when it is there, its last use, and its end. */
export function SecretRow({ name, madeAt, lastUsed, words, takeOff }: Props) {
  return (
    <li class="row act">
      <p>
        <strong>
          <Said text={name} />
        </strong>
        <br />
        <small>
          {words.made} <At iso={madeAt} how="moment" />,{" "}
          {lastUsed === null ? (
            words.unused
          ) : (
            <>
              {words.used} <At iso={lastUsed} how="moment" />
            </>
          )}
        </small>
      </p>
      <Surely label={words.removeOf(name)} shown={words.remove} surely={words.surely(name)} run={takeOff} />
    </li>
  );
}

export type Listed = SessionItem & Readonly<{ isOwn: boolean }>;

/** A browser that is signed in. `account`: the mailbox whose session it is, where several are listed. */
export function SessionFacts({ item, account = null }: Readonly<{ item: Listed; account?: string | null }>) {
  const { device, ip, startedAt, usedAt, isOwn } = item;
  const words = t.value.browsers;
  return (
    <p>
      <strong>
        <Said text={device} />
      </strong>{" "}
      <Said text={ip} /> {account !== null && <Said text={account} />}{" "}
      {isOwn && <span class="badge">{words.thisOne}</span>}
      <br />
      <small>
        {words.started} <At iso={startedAt} how="moment" />, {words.used} <At iso={usedAt} how="moment" />
      </small>
    </p>
  );
}

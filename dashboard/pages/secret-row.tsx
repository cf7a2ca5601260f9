import { At, Said } from "../parts.tsx";
import { Surely } from "./surely.tsx";

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

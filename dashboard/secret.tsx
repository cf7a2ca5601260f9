import { useEffect, useRef } from "preact/hooks";
import { Copy } from "./copy.tsx";

type Props = Readonly<{ says: string; label: string; secret: string; done: string; close: () => void }>;

/** What is shown this once. */
export function Secret({ says, label, secret, done, close }: Props) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, [secret]);
  return (
    <div class="preview" role="status">
      <p>{says}</p>
      <label class="field secret">
        <span>{label}</span>
        <input ref={field} readOnly value={secret} spellcheck={false} autocomplete="off" />
      </label>
      <div class="buttons">
        <Copy text={secret} what={label} />
        <button type="button" onClick={close}>
          {done}
        </button>
      </div>
    </div>
  );
}

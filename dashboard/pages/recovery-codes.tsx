import { useEffect, useRef } from "preact/hooks";
import { t } from "../admin-texts.ts";
import { Copy } from "../copy.tsx";
import { save } from "../export.ts";

/** The recovery codes, this once. */
export function RecoveryCodes({ codes, close }: Readonly<{ codes: readonly string[]; close: () => void }>) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [codes]);
  const words = t.value.security;
  const text = `${codes.join("\n")}\n`;
  return (
    <div class="preview codes">
      <h3 ref={heading} tabIndex={-1}>
        {words.codes}
      </h3>
      <p>{words.keep}</p>
      <ol>
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ol>
      <div class="buttons">
        <Copy text={text} what={words.codes} />
        <button type="button" onClick={() => save(words.file, "text/plain", text)}>
          {words.save}
        </button>
        <button type="button" onClick={() => print()}>
          {words.print}
        </button>
        <button type="button" class="primary" onClick={close}>
          {words.kept}
        </button>
      </div>
    </div>
  );
}

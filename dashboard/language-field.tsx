import { attempt } from "./attempt.ts";
import { LANGUAGES, type Language, language, speak, t } from "./messages.ts";
import { loaded } from "./programs.ts";

/** In which language the page speaks to this browser. */
export function LanguageField() {
  return (
    <label class="field narrow">
      <span>{t.value.language}</span>
      <select onChange={({ currentTarget }) => attempt(() => loaded(() => speak(languageOf(currentTarget.value))))}>
        {Object.entries(LANGUAGES).map(([code, name]) => (
          <option key={code} value={code} lang={code} selected={code === language.value}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

function languageOf(code: string): Language {
  return code === "de" ? "de" : "en";
}

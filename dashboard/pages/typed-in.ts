/** Blanks around a password belong to it. */
export function typedIn(form: HTMLFormElement) {
  const fields = new FormData(form);
  const [name, password] = [fields.get("name"), fields.get("password")];
  return {
    name: typeof name === "string" ? name.trim() : "",
    password: typeof password === "string" && password !== "" ? { password } : {},
  };
}

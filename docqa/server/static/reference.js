// The reference of the server, made in the browser from its own description.

/** Return an element with text or children in it. */
function made(tag, ...children) {
  const element = document.createElement(tag);
  element.append(...children);
  return element;
}

/** Return a name of a schema as a link, or a short word for its type. */
function typeOf(schema) {
  if (!schema) return "";
  if (schema.$ref) {
    const name = schema.$ref.split("/").pop();
    const link = made("a", name);
    link.href = `#schema-${name}`;
    return link;
  }
  const several = schema.anyOf ?? schema.oneOf;
  if (several) return made("span", ...several.flatMap((each, i) => (i ? [" or ", typeOf(each)] : [typeOf(each)])));
  if (schema.type === "array") return made("span", "list of ", typeOf(schema.items) || "anything");
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(", ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  return schema.type ?? "anything";
}

/** Return a table of rows, each a list of cells. */
function table(rows) {
  return made("table", ...rows.map((cells) => made("tr", ...cells.map((cell) => made("td", cell)))));
}

/** Return the part of one operation. */
function operationPart(path, method, operation) {
  const name = made("span", method.toUpperCase());
  name.className = "method";
  const head = made("summary", name, made("code", path), ` ${operation.summary}`);
  const part = made("details", head);
  if (operation.parameters?.length) {
    part.append(table(operation.parameters.map((each) => [
      made("code", each.name), each.in, typeOf(each.schema), each.schema.description ?? "",
    ])));
  }
  const content = operation.requestBody?.content ?? {};
  for (const [type, body] of Object.entries(content)) {
    part.append(made("p", "Body: ", made("code", type), " ", typeOf(body.schema)));
  }
  part.append(table(Object.entries(operation.responses).map(([status, response]) => {
    const types = Object.entries(response.content ?? {}).map(([type, each]) =>
      made("span", made("code", type), " ", typeOf(each.schema), " "));
    return [status, response.description, made("span", ...types)];
  })));
  return part;
}

/** Return the part of one schema. */
function schemaPart(name, schema) {
  const part = made("details", made("summary", made("code", name), ` ${schema.description ?? ""}`));
  part.id = `schema-${name}`;
  const required = new Set(schema.required ?? []);
  part.append(table(Object.entries(schema.properties ?? {}).map(([field, each]) => [
    made("code", field), required.has(field) ? "always" : "", typeOf(each), each.description ?? "",
  ])));
  return part;
}

/** Open the schema that the address names. */
function openNamed() {
  const part = document.getElementById(location.hash.slice(1));
  if (part instanceof HTMLDetailsElement) {
    part.open = true;
    part.scrollIntoView();
  }
}

const description = await (await fetch("openapi.json")).json();
const operations = Object.entries(description.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => operationPart(path, method, operation)));
document.getElementById("operations").replaceChildren(...operations);
const schemas = Object.entries(description.components.schemas);
document.getElementById("schemas").replaceChildren(...schemas.map(([name, each]) => schemaPart(name, each)));
addEventListener("hashchange", openNamed);
openNamed();

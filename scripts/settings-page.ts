import { overrides } from '../src/config/override-values.ts';
import { configurationSchema, type JsonSchema } from './json-schema.ts';
import { table } from './markdown.ts';

const introduction = `<!-- Made by \`npm run generate\` from src/config. -->

# Configuration

One YAML file holds every setting. [Getting started](getting-started.md#the-configuration-file) has an example. Unknown keys are
errors, and every problem is reported at once. \`sts-sidecar config check sidecar.yaml\` checks a file as start-up does.

- A **secret** is \`{ env: NAME }\`, \`{ file: path }\`, or the text itself, which causes a warning. A **value** is the same without the
  warning.
- Paths of files are relative to the folder of the configuration file; those of apiServer are absolute.
- A **policy** is an IAM policy document, in YAML or JSON.
- Editors check and complete a file that begins with \`# yaml-language-server: $schema=\` and the path or URL of
  [configuration.schema.json](configuration.schema.json).
- In the [Helm chart](../helm/sts-sidecar/README.md#the-configuration-file), the value \`config\` takes all of these settings.
`;

/** `docs/configuration.md`. */
export function settingsPage(): string {
  const schema = configurationSchema();
  const { apiVersion = {}, directory = {}, directoryFile = {}, ...sections } = schema.properties ?? {};
  const top = table(columns, [
    row('apiVersion', apiVersion, true),
    row('directoryFile', directoryFile, false),
  ]);
  return [
    `${introduction}\n${top}`,
    ...Object.entries(sections).map(([name, section]) => sectionOf(name, section, schema)),
    directorySection(directory, schema),
    environmentSection(),
  ].join('\n');
}

const columns = ['setting', 'value', 'default', 'meaning'];

function sectionOf(name: string, section: JsonSchema, { required = [] }: JsonSchema): string {
  const note = required.includes(name) ? ' Required.' : '';
  return `## ${name}\n\n${meaningOf(section)}${note}\n\n${table(columns, rowsOf('', section))}`;
}

function directorySection(directory: JsonSchema, schema: JsonSchema): string {
  const { users = {}, roles = {}, identityProviders = {}, ...others } = directory.properties ?? {};
  const rest = { ...directory, properties: others };
  const providers = (identityProviders.items?.oneOf ?? []).map((kind) => {
    const name = String(kind.properties?.['kind']?.const);
    return `### directory.identityProviders[], kind ${name}\n\n${table(columns, rowsOf('', kind))}`;
  });
  return [
    sectionOf('directory', rest, schema),
    ...Object.entries({ users, roles }).map(
      ([name, list]) =>
        `### directory.${name}[]\n\n${meaningOf(list)}\n\n${table(columns, rowsOf('', list.items ?? {}))}`,
    ),
    ...providers,
  ].join('\n');
}

function environmentSection(): string {
  const rows = overrides.map(({ flag, variable, setting }) => [
    `\`${flag}\``,
    `\`${variable}\``,
    `\`${setting}\``,
  ]);
  const headings = ['flag of `serve`', 'environment variable', 'setting'];
  return `## Flags and environment variables

A flag replaces the environment variable, and either replaces the setting. \`--config\` or \`STS_SIDECAR_CONFIG\` names the file.

${table(headings, rows)}`;
}

/** A row for each setting inside a mapping, those of mappings and lists inside it included. */
function rowsOf(prefix: string, { properties = {}, required = [], items }: JsonSchema): string[][] {
  if (items !== undefined) return rowsOf('', items);
  return Object.entries(properties).flatMap(([key, member]) => {
    const name = prefix + key;
    const own = row(name, member, required.includes(key));
    if (member.properties !== undefined) return [own, ...rowsOf(`${name}.`, member)];
    if (member.items?.properties !== undefined) return [own, ...rowsOf(`${name}[].`, member.items)];
    return [own];
  });
}

/** The description, with the pages that it names as links. */
function meaningOf({ description = '' }: JsonSchema): string {
  return description.replaceAll(/\bdocs\/([\w-]+\.md)/g, '[$1]($1)');
}

function row(name: string, schema: JsonSchema, isRequired: boolean): string[] {
  const value = schema.default;
  const isSilent = value === undefined || value === null || JSON.stringify(value) === '{}';
  const standard = isSilent ? '' : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
  return [`\`${name}\``, formOf(schema), isRequired ? 'required' : standard, meaningOf(schema)];
}

const forms: Readonly<Record<string, string>> = {
  string: 'text',
  boolean: 'true or false',
  object: 'mapping',
};

function formOf(schema: JsonSchema): string {
  const reference = (schema.$ref ?? schema.allOf?.[0]?.$ref)?.split('/').at(-1);
  if (reference !== undefined) return reference;
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((one) => `\`${String(one)}\``).join(', ');
  if (schema.type === 'array') return `list of ${formOf(schema.items ?? {})}`;
  if (schema.type === 'integer') {
    const { minimum = 0, maximum = 0 } = schema;
    return minimum === maximum ? `${minimum}` : `${minimum} to ${maximum}`;
  }
  const [type = ''] = [schema.anyOf?.[0]?.type ?? schema.type ?? ''].flat();
  return forms[type] ?? 'mapping';
}

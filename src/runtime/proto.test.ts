import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import protobuf from 'protobufjs';
import { protoDirectory } from './protos.ts';

interface Numbers {
  readonly services: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly messages: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** What the definitions say, in the words of numbers.json. */
async function definitions(): Promise<Numbers> {
  const files = (await readdir(protoDirectory)).filter((file) => file.endsWith('.proto'));
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) =>
    target.startsWith('google/') ? target : join(protoDirectory, target);
  await root.load(files, { keepCase: true });
  root.resolveAll();
  const all: Numbers = { services: {}, messages: {}, enums: {} };
  collect(root, all);
  return all;
}

function collect(namespace: protobuf.NamespaceBase, all: Numbers): void {
  for (const one of namespace.nestedArray) {
    const name = one.fullName.slice(1);
    if (name === 'google') continue;
    if (one instanceof protobuf.Service) Object.assign(all.services, { [name]: rpcsOf(one) });
    if (one instanceof protobuf.Type) Object.assign(all.messages, { [name]: fieldsOf(one) });
    if (one instanceof protobuf.Enum) Object.assign(all.enums, { [name]: one.values });
    if (one instanceof protobuf.Namespace) collect(one, all);
  }
}

function rpcsOf(service: protobuf.Service): Record<string, string> {
  const rpcs = service.methodsArray.map((method) => {
    method.resolve();
    const request = method.resolvedRequestType?.fullName.slice(1);
    const response = method.resolvedResponseType?.fullName.slice(1);
    const [send, receive] = [method.requestStream, method.responseStream].map((stream) =>
      stream === true ? 'stream ' : '',
    );
    return [method.name, `${send ?? ''}${request ?? ''} -> ${receive ?? ''}${response ?? ''}`];
  });
  return Object.fromEntries(rpcs) as Record<string, string>;
}

function fieldsOf(type: protobuf.Type): Record<string, string> {
  return Object.fromEntries(
    type.fieldsArray.map((field) => [field.name, `${field.id} ${typeOf(field)}`]),
  );
}

function typeOf(field: protobuf.Field): string {
  const type = field.resolvedType?.fullName.slice(1) ?? field.type;
  if (field instanceof protobuf.MapField) return `map<${field.keyType}, ${type}>`;
  return field.repeated ? `repeated ${type}` : type;
}

test('every name, number and type is the one that containerd uses, and there is no other', async (t) => {
  const text = await readFile(join(protoDirectory, 'numbers.json'), 'utf8');
  const { services, messages, enums } = await definitions();
  const expected = JSON.parse(text) as Numbers;
  t.deepEqual(services, expected.services);
  t.deepEqual(messages, expected.messages);
  t.deepEqual(enums, expected.enums);
});

test('nanoseconds keep every digit on their way through', async (t) => {
  const { connectContainerd } = await import('./connect.ts');
  using containerd = connectContainerd('/nowhere/containerd.sock');
  const { responseSerialize, responseDeserialize } = containerd.runtime.ContainerStatus;
  const bytes = responseSerialize({ status: { finishedAt: '1767323045123456789' } });
  t.is(responseDeserialize(bytes).status?.finishedAt, '1767323045123456789');
});

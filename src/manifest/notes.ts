/** What the author of a pod should know although nothing is wrong: which parts have no effect. */
import type { z } from 'zod';
import { nodeCriticalClass } from '../pod/pod.ts';
import { pathText, printable } from './manifest-error.ts';
import type { Path } from './manifest-error.ts';
import { noPriority, podSchema } from './schema/pod.ts';
import type { RawPod } from './schema/pod.ts';
import { inertFieldsIn } from './schema/walk.ts';
import type { Source } from './judge.ts';

/** One line for each part of a valid pod that has no effect, in the order of the manifest. */
export function notesOn(pod: RawPod, source: Source): readonly string[] {
  const parts = [
    ...inertFieldsIn(podSchema, pod),
    ...limitsOnDisk(pod),
    ...storageAmounts(pod),
    ...portsOfHelpers(pod),
    ...classOf(pod),
  ];
  return inWords(parts, source);
}

/** The same for an object of any other kind. */
export function inertNotesOn(
  schema: z.core.$ZodType,
  object: unknown,
  source: Source,
): readonly string[] {
  return inWords(inertFieldsIn(schema, object), source);
}

function inWords(parts: readonly Part[], { file, lineOf }: Source): readonly string[] {
  return parts
    .map((part) => ({ ...part, line: lineOf?.(part.path) }))
    .toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))
    .map(({ path, why, line }) => {
      const place = line === undefined ? printable(file) : `${printable(file)}:${line}`;
      return `${place}, ${pathText(path)} has no effect: ${why}`;
    });
}

interface Part {
  readonly path: Path;
  readonly why: string;
}

/** The kubelet evicts pods whose emptyDirs grow too large; nothing is evicted here. */
function limitsOnDisk({ spec }: RawPod): readonly Part[] {
  return (spec.volumes ?? []).flatMap(({ emptyDir }, index) =>
    emptyDir?.sizeLimit === undefined || isOwnFileSystem(emptyDir.medium)
      ? []
      : [
          {
            path: ['spec', 'volumes', index, 'emptyDir', 'sizeLimit'],
            why: 'the size of a volume on disk is not limited; one of memory or huge pages is',
          },
        ],
  );
}

/** Memory, HugePages or HugePages-2Mi: mounted with that size. */
function isOwnFileSystem(medium = ''): boolean {
  return medium === 'Memory' || medium.startsWith('HugePages');
}

function storageAmounts({ spec }: RawPod): readonly Part[] {
  const why = 'storage of containers is neither counted nor limited here';
  return (['initContainers', 'containers'] as const).flatMap((list) =>
    (spec[list] ?? []).flatMap(({ resources }, index) =>
      (['requests', 'limits'] as const)
        .filter((key) => resources?.[key]?.['ephemeral-storage'] !== undefined)
        .map((key) => ({
          path: ['spec', list, index, 'resources', key, 'ephemeral-storage'],
          why,
        })),
    ),
  );
}

/** As under the kubelet; with the host's network there is nothing to map. */
function portsOfHelpers({ spec }: RawPod): readonly Part[] {
  if (spec.hostNetwork === true) return [];
  return (spec.initContainers ?? []).flatMap(({ ports = [] }, index) =>
    ports.flatMap(({ hostPort = 0 }, place) =>
      hostPort === 0
        ? []
        : [
            {
              path: ['spec', 'initContainers', index, 'ports', place, 'hostPort'],
              why: 'only ports of spec.containers are mapped, as under the kubelet',
            },
          ],
    ),
  );
}

/** The class of critical pods counts when memory is short; see runtime/resources.ts. */
function classOf({ spec }: RawPod): readonly Part[] {
  const { priorityClassName: name } = spec;
  if (name === undefined || name === nodeCriticalClass) return [];
  return [{ path: ['spec', 'priorityClassName'], why: noPriority }];
}

/** The columns of `get configmaps`, `get secrets` and `get persistentvolumeclaims`. */
import type { ObjectKind, V1Object } from '../pod/objects.ts';
import { ageOf } from './age.ts';
import { column } from './table.ts';
import type { Column } from './table.ts';

/** As kubectl has them; how much there is, never what. */
export function objectColumns(kind: ObjectKind): readonly Column<V1Object>[] {
  return [name, ...ownColumns[kind], age];
}

const name = column<V1Object>('Name', 'Name of the object', ({ metadata }) => metadata.name, {
  format: 'name',
});
const age = column<V1Object>('Age', 'Time since it was taken in', ({ metadata }, now) =>
  ageOf(metadata.creationTimestamp, now),
);
const data = column<V1Object>('Data', 'Keys in it', keysIn, { type: 'integer' });

const ownColumns: Readonly<Record<ObjectKind, readonly Column<V1Object>[]>> = {
  ConfigMap: [data],
  Secret: [
    column('Type', 'Which keys it has', (one) => (one.kind === 'Secret' ? one.type : '')),
    data,
  ],
  PersistentVolumeClaim: [
    column('Status', 'A claim is always bound', (one) =>
      one.kind === 'PersistentVolumeClaim' ? one.status.phase : '',
    ),
  ],
};

function keysIn(object: V1Object): number {
  const { data: own = {}, binaryData = {} } = {
    binaryData: undefined,
    ...(object.kind === 'PersistentVolumeClaim' ? { data: undefined } : object),
  };
  return Object.keys(own).length + Object.keys(binaryData).length;
}

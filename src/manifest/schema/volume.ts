/** The v1 Volume: a name and one source. */
import { z } from 'zod';
import { didYouMean } from '../did-you-mean.ts';
import { honoured, must, refused, required } from './field.ts';
import { configMapVolume, downwardVolume, projectedVolume, secretVolume } from './files.ts';
import {
  absolutePath,
  dnsLabel,
  dnsSubdomain,
  hasParentStep,
  plainText,
  quantity,
} from './scalar.ts';

const noNetworkStorage =
  'storage of a network or a cloud is not attached; mount it on the node and use hostPath';

const medium = must(
  z.custom<'' | 'Memory' | 'HugePages' | `HugePages-${string}`>(),
  (value: unknown) =>
    typeof value === 'string' && /^(?:|Memory|HugePages(?:-\d+[KMGT]i)?)$/.test(value),
  'must be Memory, HugePages or HugePages-SIZE, such as HugePages-2Mi',
  (value) =>
    didYouMean(value, ['Memory', 'HugePages', 'HugePages-2Mi', 'HugePages-1Gi']) ??
    'leave it out: then the folder is on the disk of the node',
);

const emptyDir = z.strictObject({
  medium: honoured(medium, 'Memory makes a tmpfs, HugePages or HugePages-SIZE a hugetlbfs'),
  sizeLimit: honoured(
    quantity(),
    'size of the tmpfs or hugetlbfs; on disk it has no effect, and a note says so',
  ),
});

const hostPath = z.strictObject({
  path: required(
    must(
      absolutePath(),
      (path) => !hasParentStep(path),
      'must not contain ".."',
      'write the path that it leads to',
    ),
    'an absolute path on the node',
  ),
  type: honoured(
    z.enum([
      '',
      'DirectoryOrCreate',
      'Directory',
      'FileOrCreate',
      'File',
      'Socket',
      'CharDevice',
      'BlockDevice',
    ]),
    'what must be there, or is made; default no check',
  ),
});

const claimVolume = z.strictObject({
  claimName: required(dnsSubdomain(), 'the PersistentVolumeClaim; the pod waits until it is there'),
  readOnly: honoured(z.boolean(), 'whether no container can write to it; default false'),
});

const imageVolume = z.strictObject({
  reference: required(
    must(
      plainText(),
      (image) => image === image.trim() && image !== '',
      'must name an image',
      'remove the spaces around it',
    ),
    'the image; it is looked up once, what it then holds is kept as long as the pod',
  ),
  pullPolicy: honoured(
    z.enum(['Always', 'Never', 'IfNotPresent']),
    'default Always for the tag latest or none, else IfNotPresent',
  ),
});

export const volume = z.strictObject({
  name: required(dnsLabel(), 'unique among the volumes of the pod'),
  emptyDir: honoured(emptyDir, 'an empty folder that lives as long as the pod; the default source'),
  hostPath: honoured(hostPath, 'a file or folder of the node'),
  configMap: honoured(configMapVolume, 'files from a ConfigMap; they change with it'),
  secret: honoured(secretVolume, 'files from a Secret, in memory; they change with it'),
  downwardAPI: honoured(downwardVolume, 'files that say what the Pod is'),
  projected: honoured(projectedVolume, 'files from several sources in one folder, in memory'),
  persistentVolumeClaim: honoured(claimVolume, 'a folder of the node that outlives the pod'),
  image: honoured(
    imageVolume,
    'the files of an image, read-only; needs containerd 2.1, and 2.2 for a subPath of it',
  ),
  ephemeral: refused('there is no provisioner on a single node; use emptyDir'),
  csi: refused('CSI drivers are not supported'),
  nfs: refused(noNetworkStorage),
  iscsi: refused(noNetworkStorage),
  fc: refused(noNetworkStorage),
  awsElasticBlockStore: refused(noNetworkStorage),
  azureDisk: refused(noNetworkStorage),
  azureFile: refused(noNetworkStorage),
  cephfs: refused(noNetworkStorage),
  cinder: refused(noNetworkStorage),
  flexVolume: refused(noNetworkStorage),
  flocker: refused(noNetworkStorage),
  gcePersistentDisk: refused(noNetworkStorage),
  gitRepo: refused('Kubernetes itself no longer runs it; clone in an init container'),
  glusterfs: refused(noNetworkStorage),
  photonPersistentDisk: refused(noNetworkStorage),
  portworxVolume: refused(noNetworkStorage),
  quobyte: refused(noNetworkStorage),
  rbd: refused(noNetworkStorage),
  scaleIO: refused(noNetworkStorage),
  storageos: refused(noNetworkStorage),
  vsphereVolume: refused(noNetworkStorage),
});

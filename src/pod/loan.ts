/**
 * What the node lends a pod, as plain data: host/lend.ts makes it, runtime/ turns it into CRI's words.
 * Everything in it stays the same through every in-place restart.
 */
export interface Loan {
  /** Host directory of the pod's logs; containers log to `<container>/<attempt>.log` below it. */
  readonly logDirectory: string;
  /** Host directory of termination messages: `<container>/<attempt>` below it. */
  readonly messageDirectory: string;
  /** The pod's cgroup as CRI wants it: `/a/b/pod<uid>` (cgroupfs) or the `.slice` path (systemd). */
  readonly cgroupParent: string;
  /** Volume name -> absolute host path of its content. */
  readonly volumes: Readonly<Record<string, string>>;
  /** Host path of the managed /etc/hosts of the pod. */
  readonly hostsFile: string;
  /** Where sub-paths of volumes are bound, to be mounted from: `<volume>/<container>/<index>`. */
  readonly subPaths: string;
  /** With `hostUsers: false`: the users of the node that the pod's users 0, 1, 2 ... are. */
  readonly userNamespace?: IdRange;
}

/** Users or groups of the node, by their ids. */
export interface IdRange {
  readonly first: number;
  readonly count: number;
}

/** A file or folder inside a volume that a container sees in place of the whole volume. */
export interface SubPath {
  readonly volume: string;
  /** Host path of the volume. */
  readonly root: string;
  /** Relative to the volume, without `..`. */
  readonly subPath: string;
  /** Host path that it is bound to and mounted from. */
  readonly place: string;
}

/** Where the sub-path of a container's mount is bound; the index is that of its volumeMounts. */
export function subPathPlace(
  loan: Loan,
  mount: { readonly volume: string; readonly container: string; readonly index: number },
): string {
  return [loan.subPaths, mount.volume, mount.container, mount.index].join('/');
}

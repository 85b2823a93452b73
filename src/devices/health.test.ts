// What nvidia-smi and the kernel log say about the health of GPUs.
import test from 'ava';
import {
  faultInRow,
  healthFields,
  isAbout,
  isAboutGpus,
  parseRows,
  parseXid,
  unknownField,
} from './health.ts';

const cases: Readonly<Record<string, readonly [Record<string, string>, string | undefined]>> = {
  'nothing is wrong': [{ gpu_recovery_action: 'None', 'remapped_rows.pending': 'No' }, undefined],
  'what is not told is not bad': [
    { gpu_recovery_action: '[N/A]', 'fabric.state': '[Not Supported]', 'fabric.status': 'N/A' },
    undefined,
  ],
  'the driver asks for a reset': [{ gpu_recovery_action: 'Reset' }, 'nvidia-smi asks for: Reset'],
  'rows wait': [{ 'remapped_rows.pending': 'Yes' }, 'rows wait to be remapped: reset the GPU'],
  'memory has failed': [
    { 'ecc.errors.uncorrected.volatile.total': '3' },
    '3 uncorrected memory errors since the last reset',
  ],
  'it is lost': [
    { gpu_recovery_action: '[N/A]', 'ecc.errors.uncorrected.volatile.total': '[GPU is lost]' },
    'nvidia-smi says: GPU is lost',
  ],
  'it wants a reset': [
    { 'remapped_rows.pending': '[GPU requires reset]' },
    'nvidia-smi says: GPU requires reset',
  ],
  'it may not tell': [{ 'fabric.state': '[Insufficient Permissions]' }, undefined],
  'the fabric is not up': [
    { 'fabric.state': 'In Progress' },
    'its fabric is not up: In Progress (is nvidia-fabricmanager running?)',
  ],
};
for (const [title, [fields, fault]] of Object.entries(cases)) {
  test(`a GPU of which nvidia-smi says: ${title}`, (t) => {
    t.is(faultInRow(new Map(Object.entries(fields))), fault);
  });
}

test('lines of nvidia-smi are read by position; others are left out', (t) => {
  const rows = parseRows('GPU-a, 00000000:06:00.0\n\nNo devices were found\n', [
    'uuid',
    'pci.bus_id',
  ]);
  t.deepEqual(rows, [
    new Map([
      ['uuid', 'GPU-a'],
      ['pci.bus_id', '00000000:06:00.0'],
    ]),
  ]);
  t.is(unknownField('Field "fabric.state" is not a valid field to query.'), 'fabric.state');
  t.is(unknownField('NVIDIA-SMI has failed'), undefined);
  t.true(healthFields.includes('uuid'));
});

test('an Xid names GPU and number; those of applications leave the GPU healthy', (t) => {
  const lost = parseXid(
    '4,1,2,-;NVRM: Xid (PCI:0000:06:00): 79, pid=1, GPU has fallen off the bus.',
  );
  t.deepEqual(lost, {
    busId: '0000:06:00',
    number: 79,
    text: 'pid=1, GPU has fallen off the bus.',
    isOfApplication: false,
  });
  t.true(lost !== undefined && isAbout(lost, '0000:06:00.0'));
  t.false(lost !== undefined && isAbout(lost, '0000:07:00.0'));
  t.true(parseXid('NVRM: Xid (PCI:0000:06:00): 31, MMU fault')?.isOfApplication);
  const ofSlice = parseXid('NVRM: Xid (PCI:0000:06:00 GPU-I:05): 94, Contained: SM (0x1)');
  t.like(ofSlice, { busId: '0000:06:00', number: 94, text: 'Contained: SM (0x1)' });
  t.is(parseXid('usb 1-1: new device'), undefined);
});

const complaints: Readonly<Record<string, boolean>> = {
  'Failed to initialize NVML: Driver/library version mismatch': true,
  'Unable to determine the device handle for GPU0000:06:00.0: Unknown Error': true,
  'Field "x" is not a valid field to query.': false,
  Killed: false,
};
for (const [text, isBad] of Object.entries(complaints)) {
  test(`"${text}" ${isBad ? 'condemns the GPUs' : 'says nothing of the GPUs'}`, (t) => {
    t.is(isAboutGpus(text), isBad);
  });
}

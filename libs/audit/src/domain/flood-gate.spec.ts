import { FloodGate } from './flood-gate.js';

describe('the gate against floods', () => {
  it('lets so many of a caller through in a window, the last with a mark, and the next window anew', () => {
    const gate = new FloodGate(3, 1000);
    const at = (...times: number[]) => times.map((now) => gate.admit('a', now));
    expect(at(0, 1, 2, 3, 999)).toEqual(['through', 'through', 'last', 'dropped', 'dropped']);
    expect(at(1000, 1001, 1002, 1003)).toEqual(['through', 'through', 'last', 'dropped']);
  });

  it('keeps callers apart', () => {
    const gate = new FloodGate(1, 1000);
    expect(gate.admit('a', 0)).toBe('last');
    expect(gate.admit('a', 0)).toBe('dropped');
    expect(gate.admit('b', 0)).toBe('last');
  });

  it('remembers a bounded number of callers', () => {
    const gate = new FloodGate(1, 1000, 2);
    for (const caller of ['a', 'b', 'c']) gate.admit(caller, 0);
    expect(gate.admit('c', 1)).toBe('dropped');
    expect(gate.admit('a', 1)).toBe('last');
  });
});

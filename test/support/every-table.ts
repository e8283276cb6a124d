import type { Member } from './parts.js';
import type { TestDatabase } from './test-database.js';

/** A row of a member in every table that can hold one. Its key has the id of the member. */
export async function fillEveryTable(db: TestDatabase, { memberId: m, name }: Member): Promise<void> {
  const key = m;
  await db.asOwner('SELECT ensure_observation_day(20605)');
  const statements = [
    `INSERT INTO tokens (kind, member_id, token) VALUES (0, ${m}, sha256('${name}'))`,
    `INSERT INTO batches (member_id, batch_id, sequence, epoch, purpose, legal_basis, received_at, content_hash, payload,
       accepted, observations, rejected, rejections, state)
     VALUES (${m}, gen_random_uuid(), 1, 1, 'p', 'l', now(), '', '', 0, 0, 0, '[]', 'stored')`,
    `INSERT INTO observations VALUES (20605, ${m}, ${key}, 1, 1, 494520, 0, 0, 1, 0, 0, 1, 0, 1, 1)`,
    `INSERT INTO ip_prefixes VALUES (${key}, 1)`,
    `INSERT INTO edges VALUES (1, ${key}, 1, ${m}, 1, 1)`,
    `INSERT INTO key_facts VALUES (${key}, ${m}, 1, 0, 1, 1, NULL, 1, 1)`,
    `INSERT INTO allow_entries VALUES (${key}, 1, 1, ${m}, NULL, 1, 1)`,
    `INSERT INTO touched (key_id, day) VALUES (${key}, 1)`,
    `INSERT INTO day_uses VALUES (${key}, 1, 1, 1, 1, 1, 1, 0, 0, 0)`,
    `INSERT INTO key_days VALUES (${key}, 1, decode(repeat('00', 36), 'hex'), 0, 0)`,
    `INSERT INTO to_assess VALUES (${key})`,
    `INSERT INTO key_states (key_id, member_id, rung, since, probability, assessed_at, policy_version, assessment)
     SELECT ${key}, ${m}, 1, 1, 0.5, 1, version, '{}' FROM standards LIMIT 1`,
    `INSERT INTO rung_changes (key_id, member_id, at, rung) VALUES (${key}, ${m}, 1, 1)`,
    `INSERT INTO recommendations (id, member_id, key_id, key_token, rung, probability, policy_version, reasons, explanation,
       customer_notice, issued_at, deadline, state)
     VALUES (gen_random_uuid(), ${m}, ${key}, sha256('${name}'), 1, 0.5, '1.0.0', '[]', '{}', '{}', now(), now(), 'issued')`,
    `INSERT INTO outcomes (recommendation_id, member_id, outcome, at, reported_at)
     SELECT id, member_id, 'executed', now(), now() FROM recommendations WHERE member_id = ${m}`,
    `INSERT INTO deliveries (jti, recommendation_id, member_id, state, next_attempt_at)
     SELECT gen_random_uuid(), id, member_id, 'pending', now() FROM recommendations WHERE member_id = ${m}`,
    `INSERT INTO people (name, roles, jwk, created_at) VALUES ('person-${name}', '{auditor}', '{}', now())`,
    `INSERT INTO used_assertions VALUES ('member:${name}', 'j', now())`,
    `INSERT INTO rate_counters VALUES ('caller:member:${name}', 1, 0)`,
    `INSERT INTO erasures (id, member_id, kind, reason, requested_by, requested_at, state, stage)
     VALUES (gen_random_uuid(), ${m}, 'member', 'r', 'staff:x', now(), 'requested', 'collect')`,
    `INSERT INTO erasure_keys SELECT id, sha256('${name}') FROM erasures WHERE member_id = ${m}`,
    `INSERT INTO reenrolments VALUES (1, ${m}, 0, sha256('${name}'), sha256('new ${name}'), now())`,
    `INSERT INTO reenrolled VALUES (1, ${m}, now())`,
    `INSERT INTO warning_lists VALUES ('of ${name}', 1, ${m}, 's', '', '{1.1.1.1/32}', 'h', now(), now(), NULL)`,
    `INSERT INTO audit_log (at, actor, action, subject) VALUES (now(), 'member:${name}', 'a', 'b')`,
  ];
  for (const statement of statements) await db.asOwner(statement);
}

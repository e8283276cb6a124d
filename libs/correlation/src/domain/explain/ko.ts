import type { Finding } from '../assessment.js';
import { bucketOf, percent } from './buckets.js';
import type { Phrases } from './phrases.js';

function range(count: number, unit: string): string {
  const { from, to } = bucketOf(count);
  return to === null ? `${from}${unit} 이상` : from === to ? `${from}${unit}` : `${from}~${to}${unit}`;
}

function owners(finding: Finding): string {
  const exchanges = finding.counts['exchanges'] ?? finding.exchanges.length;
  return `다른 명의자 ${range(finding.counts['owners'] ?? 0, '명')}(거래소 ${exchanges}곳)`;
}

function days(finding: Finding): string {
  return range(finding.counts['days'] ?? 0, '일');
}

export const KO: Phrases = {
  rung: {
    none: '권고 없음',
    monitor: '집중 모니터링',
    warn: '경고',
    reverify: '본인 재확인',
    expire: '강제 만료',
  },
  headline: (a) => `${KO.rung[a.rung]}: 대여 확률 ${percent(a.probability)}% (점수 ${a.score.toFixed(2)} 내트)`,
  period: (from, to) => `근거 기간: ${from} ~ ${to} (UTC)`,
  policy: (version) => `적용 정책: ${version}`,
  reasonsTitle: '판단 근거',
  noReasons: '탐지된 근거가 없습니다.',
  againstTitle: '가장 강한 반대 근거',
  clearTitle: '해소 방법',
  reason: {
    N1: (f) => `이 키가 쓰는 주소가 ${owners(f)}의 허용 목록에도 등록되어 있습니다.`,
    N2: (f) =>
      `이 키가 쓰는 주소에서 ${owners(f)}의 키가 하나의 프로그램으로 보이는 클라이언트로 함께 사용되었습니다(${days(f)}).`,
    N3: (f) => `${owners(f)}의 키가 이 키와 같은 시간대에 주소를 함께 옮겨 다녔습니다(${days(f)}).`,
    N4: (f) =>
      `한 주소에서 명의자 ${range(f.counts['owners'] ?? 0, '명')}이 각각 둘 이상의 거래소 키를 사용했습니다(모두 거래소 ${f.counts['exchanges'] ?? f.exchanges.length}곳).`,
    K1: (f) =>
      `서로 다른 두 네트워크와 두 클라이언트에서 동시에 사용되는 일이 이전보다 늘었습니다(5분 구간 ${range(f.counts['windows'] ?? 0, '개')}, ${days(f)}).`,
    K2: (f) =>
      (f.counts['owners'] ?? 0) > 0
        ? `기존 주소와 클라이언트가 사라지고 새 주소와 클라이언트로 바뀌었으며, 새 주소에서는 ${owners(f)}의 키도 사용됩니다.`
        : '기존 주소와 클라이언트가 사라지고 새 주소와 클라이언트로 바뀌었습니다. 새 주소에서 다른 명의자는 확인되지 않았습니다.',
    K3: (f) =>
      (f.counts['owners'] ?? 0) > 0
        ? `다른 명의자 ${range(f.counts['owners'] ?? 0, '명')}이 먼저 등록한 주소에서, 서명은 유효하지만 허용 목록에 없어 거절된 요청이 있었습니다(${days(f)}).`
        : `서명은 유효하지만 허용 목록에 없는 주소에서 보내 거절된 요청이 있었습니다(${days(f)}).`,
    C1: (f) => `이 키와 같은 때에 거래하는 ${owners(f)}의 키가 흔하지 않은 같은 클라이언트를 사용합니다.`,
    S1: (f) =>
      `주문이 몰리는 5분 구간이나 시간대가 ${owners(f)}의 키와 우연이나 시장 상황으로 설명되지 않을 만큼 일치합니다(${days(f)}).`,
  },
  against(e) {
    switch (e.kind) {
      case 'protection':
        return {
          AGGREGATOR: `등록된 통합 조회 서비스의 계정입니다.`,
          CORPORATE: `법인 계정입니다.`,
          MARKET_MAKER: `시장 조성자 계정입니다.`,
          REVERIFIED: `명의자가 최근 본인 재확인을 통과했습니다.`,
          READ_ONLY: `거래 권한이 없는 조회 전용 키입니다.`,
        }[e.code];
      case 'one_exchange':
        return '정황의 일부는 다른 거래소 한 곳의 자료에만 의존하므로 반영하지 않았습니다.';
      case 'crowd':
        return `사용량의 ${Math.round(e.share * 100)}%가 서로 무관한 사람들이 함께 쓰는 주소에서 나와 반영하지 않았습니다(${
          {
            warning_list: '경고 목록에 오른 주소',
            unrelated_clients: '이용자들의 프로그램이 서로 무관함',
            too_many_keys: '키가 지나치게 많은 주소',
          }[e.reason]
        }).`;
      case 'few_days':
        return `근거가 ${e.days}일치뿐입니다. 강제 만료에는 ${e.needed}일치가 필요합니다.`;
      case 'absent_family':
        return {
          network: '한 운영자를 가리킬 만한 방식으로 다른 명의자와 주소를 함께 쓰지 않았습니다.',
          key: '키 자체에는 변화가 없습니다. 사용처가 넘어가거나 두 곳에서 동시에 쓰이거나 거절된 요청이 없었습니다.',
          client: '우연을 넘어 집단이 공유하는 클라이언트를 쓰지 않았습니다.',
          sync: '주문 시점이 다른 명의자의 키와 일치하지 않습니다.',
        }[e.family];
      case 'prior':
        return `근거를 보기 전에는 키 100개 중 ${Math.round((1 - e.probability) * 100)}개가 대여되지 않은 키입니다.`;
    }
  },
  clear: {
    network: '함께 쓰인 주소가 본인의 것(본인 서버, 가정, 사무실)임을 소명하거나 본인 주소에서만 사용',
    key: '사용 장비가 바뀐 사유(서버 이전, 본인의 두 번째 장비)를 소명하고 허용 목록을 최신으로 유지',
    client: '공개된 소프트웨어를 본인이 직접 실행하고 있음을 소명',
    sync: '공개된 신호를 본인 장비에서 따르고 있음을 소명',
  },
  clearAlways: (p) =>
    `본인 재확인 통과(${p.protections.reverified.days}일간 −${p.protections.reverified.nats} 내트). 이러한 근거 없이 ${p.ladder.stepDownDays}일이 지나면 한 단계 내려갑니다.`,
  customer: {
    opening: {
      none: '고객님의 API 키에 대해 확인이 필요한 사항이 없습니다.',
      monitor:
        '고객님의 API 키를 다른 사람이 사용하는 것으로 의심되는 정황이 있어 지켜보고 있습니다. 이용에는 변화가 없습니다.',
      warn: '고객님의 API 키를 다른 사람이 사용하는 것으로 의심되는 정황이 있습니다. API 키의 대여는 허용되지 않습니다.',
      reverify:
        '고객님의 API 키를 다른 사람이 사용하는 것으로 볼 만한 강한 정황이 있습니다. 본인 확인을 다시 진행해 주시기 바랍니다.',
      expire:
        '고객님의 API 키를 다른 사람이 사용하는 것으로 볼 만한 매우 강한 정황이 있어 키를 만료 처리할 예정입니다.',
    },
    reason: {
      network: '다른 사람들의 키가 사용되는 주소에서 고객님의 키도 사용되었습니다.',
      key: '고객님의 키가 새로운 곳이나 등록되지 않은 곳에서, 또는 두 곳에서 동시에 사용되었습니다.',
      client: '고객님의 키가 다른 사람들의 키와 같은, 흔하지 않은 프로그램으로 사용되었습니다.',
      sync: '고객님의 키가 다른 사람들의 키와 같은 시점에 거래했습니다.',
    },
    against: (e) => `고객님께 유리한 사정: ${KO.against(e)}`,
    clear(families, p) {
      const helps = families.map(
        (family) =>
          ({
            network: '해당 주소가 본인의 것(서버, 가정, 사무실)이라는 점',
            key: '사용 장소가 바뀐 사유',
            client: '사용 중인 공개 프로그램',
            sync: '따르고 있는 공개 신호',
          })[family],
      );
      const show = helps.length > 0 ? `거래소에 다음을 알려 주시면 도움이 됩니다: ${helps.join(', ')}. ` : '';
      return `${show}본인 확인을 통과하거나 이러한 정황 없이 ${p.ladder.stepDownDays}일이 지나면 단계가 내려갑니다.`;
    },
    closing: (from, to, version) => `대상 기간: ${from} ~ ${to} (UTC). 적용 기준: 정책 ${version}.`,
  },
};

import type { Network } from '@app/member-sdk';

/**
 * What kind of network an autonomous system is, as far as that can be said of the whole of it.
 *
 * Sources: the organisations' names and announced ranges in the table itself (RouteViews, NRO, DB-IP); the operators' own
 * descriptions of their services; for the carriers' mobile ranges 위키백과:통신사 IP (ko.wikipedia.org, of 2024-01-15),
 * of which only those stand here that the carrier's own systems announce in the table.
 *
 * Carriers that run fixed and mobile networks in one system:
 * - KT (AS4766): homes above all, mobile phones and data centres beside them. The mobile ranges that are known are
 *   named; the rest is `residential`: the class that weighs a shared address least, where it may be a home.
 * - LG U+ announces phones from LGTELECOM (AS17853), homes from LG POWERCOMM (AS17858), and from DACOM (AS3786, 9316 and
 *   others) companies, data centres and phones: there only the mobile ranges that are known have a class.
 * - SK is apart: phones in SK Telecom (AS9644), homes in SK Broadband (AS9318 and others).
 *
 * Cloudflare, Fastly and Akamai's AS36183 sell no machines to trade from; what comes from them is people behind relays
 * (WARP, iCloud Private Relay): `vpn`. A VPN service that rents at a host is not told from the host's other customers.
 */
export interface AsClass {
  network: Network;
  /** Part of each system's name in the table: a slip in a number shows. */
  organisation: string;
  asns: readonly number[];
  /** Ranges of theirs that are mobile, whatever the rest is. */
  mobile?: readonly string[];
}

/** When the classes below were last looked through, ISO 8601. */
export const AS_CLASSES_DATE = '2026-11-22';

export const AS_CLASSES: readonly AsClass[] = [
  // Korean mobile carriers
  { network: 'mobile', organisation: 'SK Telecom', asns: [9644, 18302] },
  { network: 'mobile', organisation: 'LGTELECOM', asns: [17853] },

  // Korean fixed networks, with the mobile ranges of those that have any
  {
    network: 'residential', organisation: 'Korea Telecom', asns: [4766, 3559],
    mobile: ['39.7.0.0/16', '110.70.0.0/16', '118.235.0.0/16', '175.223.0.0/16', '211.246.0.0/17', '2001:e60::/32'],
  },
  {
    network: 'unknown', organisation: 'DACOM', asns: [3786, 9316, 9688, 9950],
    mobile: [
      '61.43.0.0/16', '106.101.0.0/16', '106.102.0.0/16', '117.111.0.0/16', '211.36.224.0/19', '211.234.0.0/18',
      '211.234.64.0/19', '2001:4430::/32',
    ],
  },
  { network: 'residential', organisation: 'LG POWERCOMM', asns: [17858] },
  {
    network: 'residential', organisation: 'SK Broadband',
    asns: [
      9318, 9689, 9756, 9971, 10164, 17573, 17597, 17846, 17849, 17854, 17857, 17864, 18310, 23563, 23575, 23578, 38095,
      38096, 38097, 38103, 38109, 46004,
    ],
  },
  {
    network: 'residential', organisation: 'LG HelloVision',
    asns: [
      9697, 9698, 9770, 9845, 10066, 17577, 17586, 17598, 17839, 18313, 18318, 38091, 38120, 38121, 38669, 45365,
    ],
  },
  { network: 'residential', organisation: 'DLIVE', asns: [10036] },
  { network: 'residential', organisation: 'HCN', asns: [7562, 9319, 9762] },
  { network: 'residential', organisation: 'CMB', asns: [9757, 10054, 18033, 18168, 38133, 38387, 38680, 38684] },
  {
    network: 'residential', organisation: 'Cable',
    asns: [7623, 9569, 9694, 9781, 9943, 10175, 17583, 18334, 23584, 38424, 38673],
  },
  { network: 'residential', organisation: 'KCTV JEJU', asns: [9946] },

  // Hosts and clouds in Korea
  { network: 'hosting', organisation: 'NAVER', asns: [23576, 135354] },
  { network: 'hosting', organisation: 'NHNCLOUD', asns: [10038, 45974, 152291] },
  { network: 'hosting', organisation: 'kt cloud', asns: [9947, 152232] },
  { network: 'hosting', organisation: 'KAKAO Enterprise', asns: [23588, 131828] },
  { network: 'hosting', organisation: 'KINX', asns: [9286, 9957] },
  { network: 'hosting', organisation: 'GABIA', asns: [17589] },
  { network: 'hosting', organisation: 'SMILESERV', asns: [38700] },
  { network: 'hosting', organisation: 'Hostway', asns: [9952] },
  { network: 'hosting', organisation: 'Hostcen', asns: [24220, 45382] },
  { network: 'hosting', organisation: 'Dotname', asns: [18328] },
  { network: 'hosting', organisation: 'Digital Edge Korea', asns: [131866] },

  // Hosts and clouds elsewhere
  { network: 'hosting', organisation: 'Amazon', asns: [7224, 8987, 14618, 16509] },
  { network: 'hosting', organisation: 'Microsoft', asns: [3598, 8069, 8070, 8075, 35106] },
  { network: 'hosting', organisation: 'Google', asns: [15169, 19527, 36384, 394089, 396982] },
  { network: 'hosting', organisation: 'Oracle', asns: [31898, 54253] },
  { network: 'hosting', organisation: 'IBM Cloud', asns: [36351] },
  { network: 'hosting', organisation: 'Alibaba', asns: [37963, 45102, 134963] },
  { network: 'hosting', organisation: 'Tencent', asns: [45090, 132203, 133478] },
  { network: 'hosting', organisation: 'Huawei Cloud', asns: [55990] },
  { network: 'hosting', organisation: 'UCLOUD', asns: [59077, 135377] },
  { network: 'hosting', organisation: 'Kingsoft Cloud', asns: [59019] },
  { network: 'hosting', organisation: 'Akamai', asns: [63949] },
  { network: 'hosting', organisation: 'DigitalOcean', asns: [14061] },
  { network: 'hosting', organisation: 'Constant Company', asns: [20473] },
  { network: 'hosting', organisation: 'OVH', asns: [16276, 35540] },
  { network: 'hosting', organisation: 'Hetzner', asns: [24940, 212317, 213230, 215859] },
  { network: 'hosting', organisation: 'Scaleway', asns: [12876, 29447, 54265, 202023] },
  { network: 'hosting', organisation: 'IONOS', asns: [8560] },
  { network: 'hosting', organisation: 'Contabo', asns: [40021, 51167, 141995] },
  {
    network: 'hosting', organisation: 'Leaseweb',
    asns: [
      7203, 19148, 27411, 28753, 30633, 32613, 59253, 60781, 134351, 205544, 393886, 394380, 395954, 396190, 396362,
    ],
  },
  { network: 'hosting', organisation: 'Rackspace', asns: [12200, 15395, 19994, 24867, 27357, 33070, 45187, 58683] },
  { network: 'hosting', organisation: 'Hostinger', asns: [47583] },
  { network: 'hosting', organisation: 'GoDaddy', asns: [26496, 398101] },
  { network: 'hosting', organisation: 'netcup', asns: [197540, 214996] },
  { network: 'hosting', organisation: 'UpCloud', asns: [25697, 202053] },
  { network: 'hosting', organisation: 'Kamatera', asns: [36007] },
  { network: 'hosting', organisation: 'Zenlayer', asns: [21859, 62610] },
  { network: 'hosting', organisation: 'G-Core', asns: [199524, 202422] },
  { network: 'hosting', organisation: 'Latitude', asns: [396356] },
  { network: 'hosting', organisation: 'Hivelocity', asns: [29802, 61317] },
  { network: 'hosting', organisation: 'Servers.com', asns: [7979] },
  { network: 'hosting', organisation: 'Psychz', asns: [40676] },
  { network: 'hosting', organisation: 'Performive', asns: [46562] },
  { network: 'hosting', organisation: 'Clouvider', asns: [62240] },
  { network: 'hosting', organisation: 'FranTech', asns: [53667] },
  { network: 'hosting', organisation: 'tzulo', asns: [11878] },
  { network: 'hosting', organisation: 'xTom', asns: [3214, 3258, 9312] },
  { network: 'hosting', organisation: 'WorldStream', asns: [8315, 49981] },
  { network: 'hosting', organisation: 'i3D.net', asns: [49544] },
  { network: 'hosting', organisation: 'HOSTKEY', asns: [50867, 57043] },
  { network: 'hosting', organisation: 'Serverius', asns: [50673] },
  { network: 'hosting', organisation: 'Selectel', asns: [49505, 50340] },
  { network: 'hosting', organisation: 'Timeweb', asns: [9123, 210976] },
  { network: 'hosting', organisation: 'AEZA', asns: [210644] },
  { network: 'hosting', organisation: 'SAKURA Internet', asns: [7684, 9370, 9371] },
  { network: 'hosting', organisation: 'GMO Internet', asns: [7506, 58791] },
  { network: 'hosting', organisation: 'Xserver', asns: [131965] },
  { network: 'hosting', organisation: 'KAGOYA', asns: [24282] },

  // VPN and proxy services, and the hosts that rent to hardly anybody else
  { network: 'vpn', organisation: 'M247', asns: [9009, 16247, 42973] },
  { network: 'vpn', organisation: 'Datacamp', asns: [60068, 212238] },
  { network: 'vpn', organisation: 'PacketHub', asns: [136787, 147049, 207137, 272096] },
  { network: 'vpn', organisation: 'Proton', asns: [62371, 199218, 208172, 209103] },
  { network: 'vpn', organisation: '31173 Services', asns: [39351, 49399] },
  { network: 'vpn', organisation: 'Mullvad', asns: [216025] },
  { network: 'vpn', organisation: 'IVPN', asns: [203619] },
  { network: 'vpn', organisation: 'HostRoyale', asns: [133499, 203020, 204287, 207990] },
  { network: 'vpn', organisation: 'Oxylabs', asns: [396319] },
  { network: 'vpn', organisation: 'Cloudflare', asns: [13335, 132892, 202623, 209242] },
  { network: 'vpn', organisation: 'Fastly', asns: [54113] },
  { network: 'vpn', organisation: 'Akamai', asns: [36183] },
]; // prettier-ignore

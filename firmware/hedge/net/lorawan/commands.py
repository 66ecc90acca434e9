"""The network's MAC commands, carried out; answers for the next uplink.

Source: LoRaWAN L2 1.0.4, section 5. A command is carried out whole or not at all.
"""

from . import maccmd as cmd

_KEEP = 0x0F  # 1.0.4: keep the data rate or the power


def carry_out(mac, commands, snr):
    """commands: list of maccmd.split(). Changes mac.session; returns the answers as a list."""
    answers = []
    i = 0
    while i < len(commands):
        if commands[i][0] == cmd.LINK_ADR:
            block = _block(commands, i)
            status = _link_adr(mac.session, mac.region, block)
            answers += [bytes((cmd.LINK_ADR, status))] * len(block)
            i += len(block)
            continue
        identifier, payload = commands[i]
        answer = _HANDLERS[identifier](mac, payload, snr)
        if answer is not None:
            answers.append(bytes((identifier,)) + answer)
        i += 1
    return answers


def _block(commands, i):
    """LinkADRReqs in a row: they stand and fall together."""
    end = i
    while end < len(commands) and commands[end][0] == cmd.LINK_ADR:
        end += 1
    return [payload for _, payload in commands[i:end]]


def _link_adr(session, region, block):
    """Status bits: 4 power, 2 data rate, 1 channel mask; applied if all three are set."""
    channels = session.channels
    mask = channels.mask
    for payload in block:
        control = payload[3] >> 4 & 7
        mask = (
            None if mask is None else channels.masked(mask, control, payload[1] | payload[2] << 8)
        )
    last = block[-1]
    rate = session.rate if last[0] >> 4 == _KEEP else last[0] >> 4
    power = session.power if last[0] & 0x0F == _KEEP else last[0] & 0x0F
    status = 0
    if region.power_dbm(power) is not None:
        status |= 4
    if region.is_rate_up(rate, session.dwell):
        status |= 2
    if mask and channels.is_mask(mask, rate):
        status |= 1
    if status == 7:
        channels.mask = mask
        session.rate, session.power = rate, power
        session.nb_trans = last[3] & 0x0F or 1
    return status


def _link_check(mac, payload, snr):
    mac.link_margin_db, mac.link_gateways = payload[0], payload[1]


def _duty_cycle(mac, payload, snr):
    mac.session.duty_divider = 1 << (payload[0] & 0x0F)
    return b""


def _rx_param_setup(mac, payload, snr):
    session, region = mac.session, mac.region
    offset, rate = payload[0] >> 4 & 7, payload[0] & 0x0F
    hz = cmd.freq_hz(payload, 1)
    status = 4 if offset <= region.plan["rx1_offset_max"] else 0
    status |= 2 if region.is_rate_down(rate) else 0
    status |= 1 if region.is_freq(hz) else 0
    if status == 7:
        session.rx1_offset, session.rx2_rate, session.rx2_hz = offset, rate, hz
    return bytes((status,))


def _dev_status(mac, payload, snr):
    margin = min(max(int(snr), -32), 31)
    return bytes((mac.battery(), margin & 0x3F))


def _new_channel(mac, payload, snr):
    hz = cmd.freq_hz(payload, 1)
    if mac.region.fixed:
        return None  # RP002: US915 and AU915 devices do not answer
    low, high = payload[4] & 0x0F, payload[4] >> 4
    return bytes((mac.session.channels.define(payload[0], hz, low, high),))


def _rx_timing_setup(mac, payload, snr):
    mac.session.rx1_delay_s = payload[0] & 0x0F or 1
    return b""


_EIRP_DBM = (8, 10, 12, 13, 14, 16, 18, 20, 21, 24, 26, 27, 29, 30, 33, 36)


def _tx_param_setup(mac, payload, snr):
    session, region = mac.session, mac.region
    if "max_payload_dwell" not in region.plan:
        return None  # section 5.8: not for this region, not answered
    session.dwell, session.down_dwell = bool(payload[0] & 0x10), bool(payload[0] & 0x20)
    session.max_eirp_dbm = _EIRP_DBM[payload[0] & 0x0F]
    if not region.is_rate_up(session.rate, session.dwell):
        session.rate = 2  # the lowest rate within 400 ms
    return b""


def _dl_channel(mac, payload, snr):
    if mac.region.fixed:
        return None
    return bytes((mac.session.channels.set_rx1(payload[0], cmd.freq_hz(payload, 1)),))


def _device_time(mac, payload, snr):
    mac.time_is(cmd.epoch_s(payload) * 1000 + payload[4] * 1000 // 256)


_HANDLERS = {
    cmd.LINK_CHECK: _link_check,
    cmd.DUTY_CYCLE: _duty_cycle,
    cmd.RX_PARAM_SETUP: _rx_param_setup,
    cmd.DEV_STATUS: _dev_status,
    cmd.NEW_CHANNEL: _new_channel,
    cmd.RX_TIMING_SETUP: _rx_timing_setup,
    cmd.TX_PARAM_SETUP: _tx_param_setup,
    cmd.DL_CHANNEL: _dl_channel,
    cmd.DEVICE_TIME: _device_time,
}

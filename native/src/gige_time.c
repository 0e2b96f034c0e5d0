/* When a frame was begun, from the time that the camera wrote on it and the time at which it was there.
 *
 * The camera's clock counts from no known moment, but its spacing is that of the exposures; the arrival is on our
 * clock, but late by whatever network and scheduler added. So device time is moved onto ours by the shortest delay
 * seen, which follows a drift of 200 parts in a million (crystals have 100 at most). Where the camera's clock makes no
 * sense, for it went back, stood still, fell behind by more than a second, or counts more than a century, the arrival
 * counts and the delay is measured anew. */
#include "gige.h"

#define DRIFT_PARTS 5000  /* 200 in a million */
#define LAG_NS 1000000000 /* the library buffers less */
#define TICKS_NS ((uint64_t)INT64_MAX / 2)

uint64_t mga_gige_time_stamp(mga_gige_time *time, uint64_t device_ns, uint64_t arrival_ns)
{
    if (device_ns > TICKS_NS)
        device_ns = 0;
    int64_t delay = (int64_t)(arrival_ns - device_ns);
    if (time->anchored && device_ns > time->device_ns)
        time->offset_ns += (int64_t)((device_ns - time->device_ns) / DRIFT_PARTS);
    else
        time->anchored = false;
    if (!time->anchored || delay < time->offset_ns || delay - time->offset_ns > LAG_NS)
        time->offset_ns = delay;
    time->anchored = true;
    time->device_ns = device_ns;
    uint64_t stamp = device_ns + (uint64_t)time->offset_ns;
    time->stamp_ns = stamp > time->stamp_ns ? stamp : time->stamp_ns + 1; /* two frames are never at once */
    return time->stamp_ns;
}

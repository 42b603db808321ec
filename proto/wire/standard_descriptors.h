// Programs that are started without standard descriptors.
#ifndef QUERN_PROTO_WIRE_STANDARD_DESCRIPTORS_H_
#define QUERN_PROTO_WIRE_STANDARD_DESCRIPTORS_H_

namespace quern {

// Makes sure that descriptors 0, 1 and 2 are open, for a program to call before
// it opens anything. Whoever started it may have closed them; the next file or
// socket would get the number, and what is printed would go into it. Where one
// is missing, reading and writing go on failing with EBADF.
//
// Returns false if one is missing and cannot be made, with errno set.
bool HoldStandardDescriptors();

}  // namespace quern

#endif  // QUERN_PROTO_WIRE_STANDARD_DESCRIPTORS_H_

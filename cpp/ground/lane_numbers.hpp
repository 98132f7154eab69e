#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "ground/block_width.hpp"

namespace ktc {

/// One number per coordinate of a block of replicas: [coordinate] if all lanes have the same, and
/// [coordinate][lane] otherwise. It refers to its argument.
class LaneNumbers {
   public:
    LaneNumbers(const std::vector<double>& shared)  // NOLINT: one number per coordinate is one
        : numbers_(shared.data()), size_(shared.size()), differ_(false) {}
    LaneNumbers(std::vector<double>&&) = delete;
    /// [coordinate][lane].
    LaneNumbers(const double* numbers, std::size_t size)
        : numbers_(numbers), size_(size), differ_(true) {}

    std::size_t size() const { return size_; }
    bool differ() const { return differ_; }
    const double* data() const { return numbers_; }
    double operator()(std::size_t i, std::size_t lane) const {
        return differ_ ? numbers_[i * block_width + lane] : numbers_[i];
    }
    /// The numbers of a coordinate in all lanes, in place or in `room`.
    const double* row(std::size_t i, double* room) const {
        if (differ_) return numbers_ + i * block_width;
        std::fill(room, room + block_width, numbers_[i]);
        return room;
    }

   private:
    const double* numbers_;
    std::size_t size_;
    bool differ_;
};

/// Numbers of each replica's own, in blocks [block][coordinate][lane]; zero in lanes without a
/// replica.
class ReplicaNumbers {
   public:
    /// `rows` is (count, size) row-major, the first row that of replica `first` of the seed.
    ReplicaNumbers(std::uint64_t first, std::size_t count, std::size_t size, const double* rows)
        : first_(first),
          count_(count),
          size_(size),
          blocks_((first + count - 1) / block_width - first / block_width + 1),
          numbers_(blocks_ * size * block_width, 0.0) {
        for (std::size_t row = 0; row < count; ++row)
            for (std::size_t i = 0; i < size; ++i) numbers_[place(row, i)] = rows[row * size + i];
    }

    std::size_t count() const { return count_; }
    std::size_t size() const { return size_; }
    const std::vector<double>& numbers() const { return numbers_; }
    /// The numbers of a block, by its number among all blocks of the seed.
    LaneNumbers block(std::uint64_t number) const {
        const auto index = static_cast<std::size_t>(number - first_ / block_width);
        return {numbers_.data() + index * size_ * block_width, size_};
    }
    void read(std::size_t row, double* out) const {
        for (std::size_t i = 0; i < size_; ++i) out[i] = numbers_[place(row, i)];
    }
    /// Calls change(double* numbers) for the row of each replica, and keeps what it leaves, with
    /// `size` numbers in it.
    template <class Change>
    ReplicaNumbers mapped(std::size_t size, Change&& change) const {
        std::vector<double> rows(count_ * size), own;
        for (std::size_t row = 0; row < count_; ++row) {
            own.resize(size_);
            read(row, own.data());
            own = change(std::move(own), row);
            std::copy(own.begin(), own.end(),
                      rows.begin() + static_cast<std::ptrdiff_t>(row * size));
        }
        return {first_, count_, size, rows.data()};
    }
    /// Mean over the replicas.
    std::vector<double> mean() const {
        std::vector<double> result(size_, 0.0), own(size_);
        for (std::size_t row = 0; row < count_; ++row) {
            read(row, own.data());
            for (std::size_t i = 0; i < size_; ++i) result[i] += own[i];
        }
        for (double& value : result) value /= static_cast<double>(count_);
        return result;
    }

    /// Largest magnitude of each coordinate.
    std::vector<double> largest() const {
        std::vector<double> result(size_, 0.0);
        for (std::size_t at = 0; at < numbers_.size(); ++at) {
            double& own = result[at / block_width % size_];
            own = std::max(own, std::abs(numbers_[at]));
        }
        return result;
    }

    bool operator==(const ReplicaNumbers&) const = default;

   private:
    std::size_t place(std::size_t row, std::size_t i) const {
        const auto lane = static_cast<std::size_t>(first_ % block_width) + row;
        return (lane / block_width * size_ + i) * block_width + lane % block_width;
    }

    std::uint64_t first_;
    std::size_t count_, size_, blocks_;
    std::vector<double> numbers_;
};

}  // namespace ktc
